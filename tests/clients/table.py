"""Prints the results of the programs as a table in Markdown, and below it why a method failed.

Reads lines of a program's name, a method and its result, separated by tabs.
"""

import sys

rows = [line.rstrip("\n").split("\t", 2) for line in sys.stdin]
programs = list(dict.fromkeys(program for program, _, _ in rows))
methods = list(dict.fromkeys(method for _, method, _ in rows))
results = {(program, method): result for program, method, result in rows}


def cell(program, method):
    result = results.get((program, method), "–")
    return "**failed**" if result.startswith("failed") else result


print("|", " | ".join(["method", *programs]), "|")
print("|---" * (len(programs) + 1) + "|")
for method in methods:
    print("|", " | ".join([method, *(cell(program, method) for program in programs)]), "|")
for program, method, result in rows:
    if result.startswith("failed"):
        print(f"\n{program}, {method} {result}")

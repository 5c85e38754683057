"""The tour of infra/README.md against a deployed stack, with the responses that it shows."""

import json
import time
from pathlib import Path

PAGE = Path(__file__).resolve().parents[1] / "README.md"
HEADING = "\n## A tour of five minutes\n"
END = "-- the end of a block --"
TIMEOUT = 120

# Forms have addresses under the stack's public name, which is nowhere here. The tour's `curl` goes to the emulator instead.
PREAMBLE = r"""
curl() {
  local words=() word
  for word in "$@"; do
    case $word in
      "$TIDEMARK"*) ;;
      http://*/v1/* | https://*/v1/*) word=$TIDEMARK/v1/${word#*/v1/} ;;
    esac
    words+=("$word")
  done
  command curl --max-time 60 "${words[@]}"
}
"""


def steps():
    """Returns (title, commands, shown response or None) of each shell block."""
    tour = PAGE.read_text().split(HEADING, 1)[1].split("\n## ", 1)[0]
    found, texts = [], tour.split("```")
    for text, block in zip(texts[::2], texts[1::2]):
        kind, commands = block.split("\n", 1)
        if kind == "sh":
            bold = text.split("**")
            title = " ".join(bold[1].split()) if len(bold) > 1 else "and then" if found else "Create an account."
            found.append([title, commands, None])
        elif kind == "json":
            found[-1][2] = json.loads(commands)
    return found


def is_part(shown, answer):
    """Returns true if `shown` is part of `answer`, whose objects may have more members."""
    if isinstance(shown, dict) and isinstance(answer, dict):
        return all(name in answer and is_part(value, answer[name]) for name, value in shown.items())
    if isinstance(shown, list) and isinstance(answer, list):
        return len(shown) == len(answer) and all(map(is_part, shown, answer))
    return shown == answer


def last_json(printed):
    """Returns the last of several JSON documents."""
    decoder, place, answer = json.JSONDecoder(), 0, None
    printed = printed.strip()
    while place < len(printed):
        answer, place = decoder.raw_decode(printed, place)
        while place < len(printed) and printed[place].isspace():
            place += 1
    return answer


def run(stack, operator_token):
    """Runs the blocks in one shell, compares the responses, and returns the account's token and the lines of a report."""
    blocks = steps()
    marks = 'printf "\\n%s %s\\n" "' + END + '" "$(date +%s.%N)"\n'
    script = PREAMBLE + marks + "".join(commands + "\n" + marks for _, commands, _ in blocks) + 'echo "$TOKEN"\n'
    began = time.monotonic()
    printed = stack.emulator.run(
        ["bash", "-eu", "-c", script], TIMEOUT, {"TIDEMARK": stack.url(), "OPERATOR_TOKEN": operator_token},
    )
    _, *parts = printed.split("\n" + END + " ")
    report, shown = [], 0
    instants = [float(part.split("\n", 1)[0]) for part in parts]
    for (title, commands, expected), part, start, end in zip(blocks, parts, instants, instants[1:]):
        answer = part.split("\n", 1)[1] if "\n" in part else ""
        if expected is not None:
            shown += 1
            if not is_part(expected, last_json(answer)):
                raise RuntimeError(f"{commands}\nshows {expected}\nbut {answer}")
        report.append((title, end - start))
    if shown < 7:
        raise RuntimeError("the tour shows too few responses")
    token = parts[-1].split("\n")[1].strip()
    return token, report, time.monotonic() - began

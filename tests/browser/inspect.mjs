// What every page has to stand: axe-core and the check of the width, in both schemes and at both widths.

import { SCHEMES, WIDTHS, axe, described, heightAt, sideways } from './browser.mjs';

/** Inspects a page as it is now at one width. Returns the faults, and the counts for the output. */
async function inspectAt(page, width) {
  await page.setViewportSize({ width, height: heightAt(width) });
  const { violations, passed, undecided } = await axe(page);
  const wide = await sideways(page);
  const faults = [
    ...(violations.length ? [`axe-core: ${described(violations)}`] : []),
    ...(wide.length ? [`scrolls sideways: ${wide.join('; ')}`] : []),
  ];
  const open = undecided.length ? `, undecided: ${undecided.join(' ')}` : '';
  return { faults, counts: `${width} px: ${violations.length} violations, ${passed} rules passed${open}` };
}

/** Inspects a page as it is now, without loading it again. Prints the counts and returns the faults. */
export async function inspect(page, name) {
  const size = page.viewportSize();
  const faults = [];
  for (const scheme of SCHEMES) {
    await page.emulateMedia({ colorScheme: scheme });
    const results = [];
    for (const width of WIDTHS) results.push(await inspectAt(page, width));
    console.log(`axe  ${scheme.padEnd(5)}  ${name}: ${results.map(({ counts }) => counts).join('; ')}`);
    faults.push(...results.flatMap((result) => result.faults.map((fault) => `${name}, ${scheme}: ${fault}`)));
  }
  await page.emulateMedia({ colorScheme: SCHEMES[0] });
  await page.setViewportSize(size);
  return faults;
}

// What every page has to stand: axe-core and the check of the width, in both schemes and at both widths.

import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';

import { SCHEMES, WIDTHS, described, heightAt, sideways, withAxe } from './browser.mjs';

/** A width of 1,440 px at a zoom of 200 %. */
const ZOOMED = 720;

/** The width of the smallest phones. */
const SMALLEST = 320;

/** The folder for pictures of the pages as a person may see them, if they are asked for. */
const FOLDER = process.env.INSPECTED;

/** What else a person may see: the media features, and the width. */
const OTHERWISE = {
  small: [{}, SMALLEST],
  zoomed: [{}, ZOOMED],
  print: [{ media: 'print' }, ZOOMED],
  forced: [{ forcedColors: 'active' }, WIDTHS[1]],
};

const AS_USUAL = { media: null, forcedColors: null, colorScheme: SCHEMES[0] };

/** Makes the window as wide as this. */
const resize = (page, width) => page.setViewportSize({ width, height: heightAt(width) });

/** Takes a picture of a page, if pictures are asked for. */
async function take(page, name) {
  if (!FOLDER) return;
  await mkdir(FOLDER, { recursive: true });
  await page.screenshot({ path: join(FOLDER, `${name.replace(/\W+/g, '-')}.png`), fullPage: true });
}

/** Returns the fault of a page that scrolls sideways. */
async function widthFaults(page) {
  const wide = await sideways(page);
  return wide.length ? [`scrolls sideways: ${wide.join('; ')}`] : [];
}

/** Inspects a page as it is now at one width. Returns the faults, and the counts for the output. */
async function inspectAt(page, width, axe) {
  await resize(page, width);
  const { violations, passed, undecided } = await axe();
  const faults = [
    ...(violations.length ? [`axe-core: ${described(violations)}`] : []),
    ...await widthFaults(page),
  ];
  const open = undecided.length ? `, undecided: ${undecided.join(' ')}` : '';
  return { faults, counts: `${width} px: ${violations.length} violations, ${passed} rules passed${open}` };
}

/** Looks at a page on the smallest phone, zoomed, printed, and with forced colours. Returns the faults of its width. */
async function lookOtherwise(page, name) {
  const faults = [];
  for (const [manner, [media, width]] of Object.entries(OTHERWISE)) {
    await page.emulateMedia(media);
    await resize(page, width);
    // Paper has margins.
    const wide = media.media === 'print' ? [] : await widthFaults(page);
    faults.push(...wide.map((fault) => `${name}, ${manner}: ${fault}`));
    await take(page, `${name} ${manner}`);
    await page.emulateMedia(AS_USUAL);
  }
  return faults;
}

/** Inspects a page in both schemes. Prints the counts and returns the faults. */
async function inspectSchemes(page, name, axe) {
  const faults = [];
  for (const scheme of SCHEMES) {
    await page.emulateMedia({ colorScheme: scheme });
    const results = [];
    for (const width of WIDTHS) {
      results.push(await inspectAt(page, width, axe));
      await take(page, `${name} ${scheme} ${width}`);
    }
    console.log(`axe  ${scheme.padEnd(5)}  ${name}: ${results.map(({ counts }) => counts).join('; ')}`);
    faults.push(...results.flatMap((result) => result.faults.map((fault) => `${name}, ${scheme}: ${fault}`)));
  }
  await page.emulateMedia(AS_USUAL);
  return faults;
}

/** Inspects a page as it is now, without loading it again. Prints the counts and returns the faults. */
export async function inspect(page, name) {
  const size = page.viewportSize();
  const faults = await withAxe(page, (axe) => inspectSchemes(page, name, axe));
  faults.push(...await lookOtherwise(page, name));
  await page.setViewportSize(size);
  return faults;
}

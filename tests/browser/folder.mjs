// Checks each page of a folder of static pages, such as a mock: `node folder.mjs FOLDER [PICTURES]`. Serves it under
// the console's content security policy. With a second folder, writes a picture of each page there.

import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';

import { SCHEMES, WIDTHS, axe, described, launch, newContext, sideways, watch } from './browser.mjs';
import { serveFolder } from './serve.mjs';

const [folder, pictures] = process.argv.slice(2);
if (!folder) throw new Error('usage: node folder.mjs FOLDER [PICTURES]');

const server = await serveFolder(folder);
const browser = await launch();
const names = (await readdir(folder)).filter((name) => name.endsWith('.html')).sort();
if (pictures) await mkdir(pictures, { recursive: true });

let failed = 0;
for (const scheme of SCHEMES) {
  for (const width of WIDTHS) {
    const context = await newContext(browser, { baseURL: server.address, scheme, width });
    for (const name of names) {
      const page = await context.newPage();
      const { faults } = watch(page, server.address);
      await page.goto(name);
      const { violations, passed, undecided } = await axe(page);
      const wide = await sideways(page);
      console.log(`${scheme.padEnd(5)} ${String(width).padStart(4)} px  ${name.padEnd(26)} axe: `
        + `${violations.length} violations, ${passed} rules passed, undecided: ${undecided.join(' ') || 'none'}`);
      for (const fault of [described(violations), ...wide.map((one) => `wide: ${one}`), ...faults]) {
        if (fault === '') continue;
        console.log(`  ${fault}`);
        failed += 1;
      }
      if (pictures) await page.screenshot({ path: join(pictures, `${name}-${scheme}-${width}.png`), fullPage: true });
      await page.close();
    }
    await context.close();
  }
}
console.log(failed === 0 ? 'no fault' : `${failed} faults`);
await browser.close();
await server.stop();
process.exitCode = failed === 0 ? 0 : 1;

// Compiles every module of extproc into the folder that NODE_COMPILE_CACHE names, and runs none of them: for an image, in
// which skilltape cannot write there itself. To be run under the options that skilltape is run with: V8 takes no other's code.

import { globSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const folder = dirname(dirname(fileURLToPath(import.meta.url)));
// All are loaded and linked before the first of them runs, and that one throws.
const urls = ['data:text/javascript,throw null'];
for (const file of globSync('**/*.ts', { cwd: folder })) urls.push(pathToFileURL(join(folder, file)).href);
const imports = urls.map((url) => `import ${JSON.stringify(url)};`).join('\n');
try {
  await import(`data:text/javascript,${encodeURIComponent(imports)}`);
} catch (thrown) {
  if (thrown !== null) throw thrown;
}

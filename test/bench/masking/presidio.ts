import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { cacheDirectory } from '../../../extproc/tools/cache.ts';
import { runChild } from '../../../extproc/tools/child.ts';
import { failure, type PeerState, runAnalysis } from './peer.ts';
import { fromCodePoints } from './quality.ts';

const version = '2.2.362';
const script = fileURLToPath(new URL('presidio.py', import.meta.url));
const installTimeoutMs = 15 * 60_000;
const result = z.object({
  cpuSeconds: z.number().positive(),
  spans: z.array(z.array(z.tuple([z.number(), z.number(), z.string()]))),
});

/** Presidio from its Python package, in a virtual environment of the tool cache: such a folder cannot be moved. */
export async function presidio(env: NodeJS.ProcessEnv, progress: (line: string) => void): Promise<PeerState> {
  const home = join(cacheDirectory(env), `presidio-analyzer-${version}`);
  const python = join(home, 'bin', 'python');
  const whole = join(home, 'installed');
  if (!existsSync(whole)) {
    progress('installing presidio-analyzer into the tool cache (a minute or two, once)');
    const install = `import pathlib, subprocess, sys
subprocess.run([sys.argv[2], "-m", "pip", "install", "--quiet", "presidio-analyzer==${version}"], check=True)
pathlib.Path(sys.argv[1]).touch()`;
    const steps = [
      ['python3', '-m', 'venv', '--clear', home],
      [python, '-c', install, whole, python],
    ];
    for (const [command = '', ...args] of steps) {
      const why = failure(await runChild(command, args, { env, timeoutMs: installTimeoutMs }));
      if (why === undefined) continue;
      const remedy = 'it needs Python 3.9 or newer with venv and a way to a package index';
      return { kind: 'missing', name: 'presidio', why: `${command} failed (${why}); ${remedy}` };
    }
  }
  const analyse = async (texts: readonly string[]) => {
    const { cpuSeconds, spans } = result.parse(await runAnalysis(python, [script], texts, env));
    return { cpuSeconds, spans: spans.map((found, index) => fromCodePoints(texts[index] ?? '', found)) };
  };
  return { kind: 'ready', peer: { name: 'presidio', version, analyse } };
}

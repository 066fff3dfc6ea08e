import { join } from 'node:path';
import { runChild } from './child.ts';

const askTimeoutMs = 20_000;

/** Java's home folder and main version, or what was seen instead. */
export type JavaFound = { kind: 'java'; home: string; version: number } | { kind: 'none'; why: string };

/** Finds a Java of at least this version: `ES_JAVA_HOME`, else `JAVA_HOME`, else PATH. Each is asked, not believed. */
export async function findJava(env: NodeJS.ProcessEnv, minVersion: number): Promise<JavaFound> {
  const seen: string[] = [];
  const homes = [env.ES_JAVA_HOME, env.JAVA_HOME].flatMap((home) => (home ? [join(home, 'bin', 'java')] : []));
  for (const command of [...homes, 'java']) {
    const found = await ask(command, env);
    if (found.kind === 'java' && found.version >= minVersion) return found;
    seen.push(found.kind === 'java' ? `${found.home} is Java ${found.version}` : found.why);
  }
  return { kind: 'none', why: seen.join(', ') };
}

async function ask(command: string, env: NodeJS.ProcessEnv): Promise<JavaFound> {
  const result = await runChild(command, ['-XshowSettings:properties', '-version'], { env, timeoutMs: askTimeoutMs });
  if (result.kind === 'absent') return { kind: 'none', why: `there is no ${command}` };
  const output = result.kind === 'ended' && result.status === 0 ? result.output : '';
  const home = /^\s*java\.home = (.+?)\s*$/m.exec(output)?.[1];
  const version = Number(/^\s*java\.specification\.version = (\d+)\s*$/m.exec(output)?.[1]);
  if (home === undefined || !Number.isInteger(version)) return { kind: 'none', why: `${command} is no usable Java` };
  return { kind: 'java', home, version };
}

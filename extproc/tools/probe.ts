import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { type ChildResult, lastWords, runChild } from './child.ts';
import { pins, readVersion, type ToolName } from './versions.ts';

const probeTimeoutMs = 20_000;

/** What stands at a path: a runnable tool with its version, nothing, or something that is not the tool. */
export type Probe = { kind: 'tool'; version: string } | { kind: 'nothing' } | { kind: 'unusable'; why: string };

/** Runs the tool to learn its version: a file's name or place proves nothing. */
export async function probe(tool: ToolName, path: string, env: NodeJS.ProcessEnv): Promise<Probe> {
  const found = await stat(path).catch(() => null);
  if (found === null) return { kind: 'nothing' };
  if (!found.isFile()) return { kind: 'unusable', why: 'it is not a file' };
  const executable = await access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
  if (!executable) return { kind: 'unusable', why: 'it is not executable' };
  return judge(
    tool,
    await runChild(path, pins[tool].versionArguments, {
      env,
      timeoutMs: probeTimeoutMs,
    }),
  );
}

function judge(tool: ToolName, result: ChildResult): Probe {
  switch (result.kind) {
    case 'absent':
      return {
        kind: 'unusable',
        why: 'it could not be run: its interpreter or loader is missing',
      };
    case 'broken':
      return { kind: 'unusable', why: `it could not be run: ${result.why}` };
    case 'ended': {
      const version = result.status === 0 ? readVersion(tool, result.output) : null;
      if (version !== null) return { kind: 'tool', version };
      return {
        kind: 'unusable',
        why: `asked for its version, it said: ${lastWords(result.output)}`,
      };
    }
  }
}

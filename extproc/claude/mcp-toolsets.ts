/** Reads which tools of which MCP servers a body lets the model call: Claude asks the servers for them, not the caller. */
import { isJsonObject, type JsonObject, type JsonValue, objectsIn } from './json.ts';
import { mcpHostOf } from './mcp-host.ts';

/**
 * One configuration of one server. With `open` the model has every tool of the server that is not among `off`, else only
 * those of `on`. `host` is empty where it cannot be read, see `mcpHostOf`.
 */
export type McpToolset = { server: string; host: string; open: boolean; on: string[]; off: string[] };

/** Of one body; policy judges each with all that a list denies (inv. 10). The API takes no more than a few dozen servers. */
export const mcpToolsetsMax = 64;

export type ReadToolsets = { ok: true; toolsets: McpToolset[] } | { ok: false; fault: string };

/**
 * Of each server in `mcp_servers` what toolsets among the tools say of it (`mcp_toolset`), and what it says itself
 * (`tool_configuration`, the form before them). Each stands for itself: what one of them opens is open, whichever form
 * the upstream reads. A server of which nothing is said is open. Only `false` switches off.
 */
export function readMcpToolsets(servers: JsonValue | undefined, tools: readonly JsonObject[]): ReadToolsets {
  const known = objectsIn(servers ?? null);
  const toolsets = tools.filter(({ type }) => type === 'mcp_toolset');
  if (known.length + toolsets.length > mcpToolsetsMax) return { ok: false, fault: tooMany };
  const hostByName = hostsByName(known);
  const named = toolsets.map((toolset): McpToolset => {
    const server = textOf(toolset.mcp_server_name);
    return { server, host: hostByName.get(server) ?? '', ...inToolset(toolset) };
  });
  const spokenOf = new Set(named.map(({ server }) => server));
  const others = known.flatMap((server): McpToolset[] => {
    const name = textOf(server.name);
    const own = server.tool_configuration ?? null;
    if (own === null && spokenOf.has(name)) return [];
    return [{ server: name, host: mcpHostOf(server.url), ...inConfiguration(own) }];
  });
  return { ok: true, toolsets: [...named, ...others] };
}

const tooMany = `mcp_servers and tools of type mcp_toolset are more than ${mcpToolsetsMax} together`;

/** Two of one name are at a host that cannot be told. */
function hostsByName(servers: readonly JsonObject[]): Map<string, string> {
  const hosts = new Map<string, string>();
  for (const { name, url } of servers) {
    const known = hosts.get(textOf(name));
    const host = mcpHostOf(url);
    hosts.set(textOf(name), known === undefined || known === host ? host : '');
  }
  return hosts;
}

type Offered = Pick<McpToolset, 'open' | 'on' | 'off'>;

/** A listing that the caller pins does not close it: not every version of the API keeps to it. */
function inToolset({ default_config: byDefault, configs, tools }: JsonObject): Offered {
  const open = !isSwitchedOff(byDefault);
  const on = new Set<string>();
  const off = new Set<string>();
  for (const [name, config] of configsIn(configs)) {
    const isOn = isJsonObject(config) && typeof config.enabled === 'boolean' ? config.enabled : open;
    if (isOn) on.add(name);
    else off.add(name);
  }
  for (const { name } of objectsIn(tools ?? null)) if (open && typeof name === 'string' && !off.has(name)) on.add(name);
  return { open, on: [...on], off: [...off].filter((name) => !on.has(name)) };
}

/** By the name of a tool in messages, a list in the definition of an agent. */
function configsIn(configs: JsonValue | undefined): [string, JsonValue][] {
  if (Array.isArray(configs)) return configs.filter(isJsonObject).map((config) => [textOf(config.name), config]);
  return isJsonObject(configs) ? Object.entries(configs) : [];
}

function inConfiguration(configuration: JsonValue): Offered {
  if (isSwitchedOff(configuration)) return { open: false, on: [], off: [] };
  const { allowed_tools: allowed } = isJsonObject(configuration) ? configuration : {};
  if (!Array.isArray(allowed)) return { open: true, on: [], off: [] };
  return { open: false, on: allowed.filter((name) => typeof name === 'string'), off: [] };
}

function isSwitchedOff(config: JsonValue | undefined): boolean {
  return isJsonObject(config) && config.enabled === false;
}

function textOf(value: JsonValue | undefined): string {
  return typeof value === 'string' ? value : '';
}

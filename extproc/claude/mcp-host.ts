/** Reads where the MCP servers of a body are: their names are the caller's choice, their hosts are not. */
import { isJsonObject, type JsonValue } from './json.ts';

/**
 * A URL that every reader takes apart in the same way: no user, no backslash, and a host of plain characters. What one
 * reader takes for a host and another for a user or a path must not pass for a host that a list names.
 */
const plainUrl = /^https?:\/\/([a-z0-9](?:[a-z0-9.-]{0,252}[a-z0-9])?(?::\d{1,5})?)(?:[/?#][\x21-\x5b\x5d-\x7e]*)?$/i;

/** In lower case, with its port where the URL names one; empty for a server without a URL, or with one of another form. */
export function mcpHostOf(url: JsonValue | undefined): string {
  return typeof url === 'string' ? (plainUrl.exec(url)?.[1]?.toLowerCase() ?? '') : '';
}

/** Of each server in `mcp_servers`, each once. */
export function mcpHostsOf(servers: JsonValue | undefined): string[] {
  const all = Array.isArray(servers) ? servers.filter(isJsonObject) : [];
  return [...new Set(all.map(({ url }) => mcpHostOf(url)))];
}

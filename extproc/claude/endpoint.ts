/** Names the endpoint that a request is for. */
import { type EndpointKind, endpointRows, familyRows, type Treatment } from './endpoint-table.ts';

/** `name` is stable and safe to record: it never repeats a part of the path. */
export type Endpoint = { name: string; kind: EndpointKind; treatment: Treatment };

const unknown: Endpoint = { name: 'unknown', kind: 'unknown', treatment: 'unknown' };
const pathMaxChars = 1024;

/**
 * Unreserved characters and `:` `@`, first a letter or digit: nothing percent-encoded and no dot segment, so that no
 * decoder or normaliser on the way can see another path than the one matched here.
 */
const identifier = /^[A-Za-z0-9][A-Za-z0-9._~:@-]*$/;
const familyMethods = { GET: 'read', POST: 'write', PUT: 'write', PATCH: 'write', DELETE: 'write' };

type Node = {
  fixed: Map<string, Node>;
  any: Node | null;
  operations: Map<string, Endpoint>;
  /** The node stands for everything below it too. */
  isFamily: boolean;
};

const root = buildTree();

/** Every name that `endpointOf` can give. */
export const endpointNames: readonly string[] = [...new Set(namesIn(root)), unknown.name];

/**
 * The endpoint of a method and a path without its query. The match is exact and case-sensitive: an unknown path, a
 * known path with another method, a trailing slash, an empty segment or an encoded character are all `unknown`.
 */
export function endpointOf(method: string, path: string): Endpoint {
  if (path.length > pathMaxChars || !path.startsWith('/')) return unknown;
  let node: Node = root;
  for (const segment of path.slice(1).split('/')) {
    const isIdentifier = identifier.test(segment);
    const next = node.fixed.get(segment) ?? (isIdentifier ? (node.isFamily ? node : node.any) : null);
    if (next === null) return unknown;
    node = next;
  }
  return node.operations.get(method) ?? unknown;
}

function buildTree(): Node {
  const top = emptyNode();
  for (const [path, kind, treatment, operations] of endpointRows) {
    const node = nodeAt(top, path);
    for (const [method, name] of Object.entries(operations)) node.operations.set(method, { name, kind, treatment });
  }
  for (const [prefix, kind, treatment, family] of familyRows) {
    const node = nodeAt(top, prefix);
    node.isFamily = true;
    for (const [method, verb] of Object.entries(familyMethods)) {
      node.operations.set(method, { name: `${family}.${verb}`, kind, treatment });
    }
  }
  return top;
}

function nodeAt(top: Node, path: string): Node {
  let node = top;
  for (const segment of path.slice(1).split('/')) node = childOf(node, segment);
  return node;
}

function childOf(node: Node, segment: string): Node {
  if (segment === '*') {
    node.any ??= emptyNode();
    return node.any;
  }
  const found = node.fixed.get(segment) ?? emptyNode();
  node.fixed.set(segment, found);
  return found;
}

function emptyNode(): Node {
  return { fixed: new Map(), any: null, operations: new Map(), isFamily: false };
}

function namesIn(node: Node): string[] {
  const children = [...node.fixed.values(), ...(node.any === null ? [] : [node.any])];
  return [...[...node.operations.values()].map(({ name }) => name), ...children.flatMap(namesIn)];
}

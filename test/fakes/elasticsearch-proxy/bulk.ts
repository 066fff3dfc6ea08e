/** One operation of a bulk request; `at` is its place among them, from 0. */
export type BulkItem = {
  readonly at: number;
  readonly action: string;
  readonly index: string;
  readonly id: string | undefined;
  /** Action and source, as they were sent. */
  readonly lines: readonly string[];
};

/** What a refused operation is answered with. */
export type ItemError = { readonly status: number; readonly type: string; readonly reason: string };

type BulkAnswer = { took: number; errors: boolean; items: unknown[] };

/** Takes a bulk body apart; the index of the path is the one of items that name none. */
export function bulkItems(body: string, path: string): BulkItem[] {
  const lines = body.split('\n').filter((line) => line.trim() !== '');
  const pathIndex = decodeURIComponent(/^\/([^/?]+)\/_bulk/.exec(path)?.[1] ?? '');
  const items: BulkItem[] = [];
  for (let next = 0; next < lines.length; ) {
    const [action, target] = Object.entries(JSON.parse(lines[next] ?? '{}') as Record<string, Target>)[0] ?? ['', {}];
    const own = lines.slice(next, next + (action === 'delete' ? 1 : 2));
    items.push({ at: items.length, action, index: target._index ?? pathIndex, id: target._id, lines: own });
    next += own.length;
  }
  return items;
}

type Target = { _index?: string; _id?: string };

export function bulkBody(items: readonly BulkItem[]): string {
  return items.flatMap(({ lines }) => lines.map((line) => `${line}\n`)).join('');
}

/** The server's answer to the items that went on, with the refused ones in their places. */
export function mergeAnswer(
  items: readonly BulkItem[],
  refused: ReadonlySet<BulkItem>,
  error: ItemError,
  answer: BulkAnswer,
): BulkAnswer {
  const served = answer.items.values();
  const merged = items.map((item) => {
    if (!refused.has(item)) return served.next().value;
    const { type, reason, status } = error;
    return { [item.action]: { _index: item.index, _id: item.id, status, error: { type, reason } } };
  });
  return { ...answer, errors: answer.errors || refused.size > 0, items: merged };
}

/**
 * Waits for work, at most `timeoutMs`; undefined when the time is over and `stillWanted` says that the result would
 * still be acted on. The work itself goes on: it must look again whether it is wanted before it changes anything.
 */
export async function withDeadline<T>(
  work: Promise<T>,
  timeoutMs: number,
  stillWanted: () => boolean,
): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), timeoutMs);
  });
  try {
    const result = await Promise.race([work, late]);
    return result === undefined && !stillWanted() ? await work : result;
  } finally {
    clearTimeout(timer);
    work.catch(() => {});
  }
}

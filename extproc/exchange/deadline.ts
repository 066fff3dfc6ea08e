/**
 * Waits for work, at most `timeoutMs`; undefined when the time is over and `stillWanted` says that the result would
 * still be acted on. The work itself goes on: it must look again whether it is wanted before it changes anything.
 */
export function withDeadline<T>(
  work: Promise<T>,
  timeoutMs: number,
  stillWanted: () => boolean,
): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      if (stillWanted()) resolve(undefined);
    }, timeoutMs);
    const inTime = <V>(settle: (value: V) => void) => {
      return (value: V) => {
        clearTimeout(timer);
        settle(value);
      };
    };
    // What comes late changes nothing: the promise has its result.
    work.then(inTime(resolve), inTime(reject));
  });
}

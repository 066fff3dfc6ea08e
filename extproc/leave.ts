/**
 * Lets this process end as soon as nothing is left to do, without the runtime's own taking down: that may turn for ever
 * (`node::Environment::CleanupHandles` of Node 24.21, seen with perf), and no JavaScript runs in it any more. Everything
 * of ours is done before: listeners of `exit` are heard, and status, compile cache and CPU profiles are as they would be.
 */
export function leaveWhenDone(): void {
  // The last of all listeners.
  process.once('beforeExit', () => process.once('exit', () => process.exit()));
}

/** The seed of a run: `SKILLTAPE_TEST_SEED`, or a new one. Whoever uses it prints it. */
export function seedOf(env: NodeJS.ProcessEnv): number {
  return Number(env.SKILLTAPE_TEST_SEED ?? Math.floor(Math.random() * 2 ** 32));
}

/** Mulberry32: the same numbers below 1 for the same seed. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

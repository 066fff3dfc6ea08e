const textMaxChars = 64;
const answersMax = 4_096;

/** A pure function of short texts that asks the same of many of them: its answers are kept, as many as `answersMax`. */
export function remembered<T>(answer: (text: string) => T): (text: string) => T {
  const answers = new Map<string, T>();
  return (text) => {
    if (text.length > textMaxChars) return answer(text);
    const known = answers.get(text);
    if (known !== undefined) return known;
    if (answers.size >= answersMax) answers.clear();
    const found = answer(text);
    answers.set(text, found);
    return found;
  };
}

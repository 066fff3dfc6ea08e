/** Rego as text, with parts of it blanked out: every character that is left stands where it stood. */

/** Comments as spaces. */
export function withoutComments(rego: string): string {
  return rego.replaceAll(partsOfRego, (part) => (part.startsWith('#') ? blank(part) : part));
}

/** Texts as spaces between their quotes, templates with what is put into them too. */
export function withoutTexts(rego: string): string {
  return rego.replaceAll(partsOfRego, (part) => {
    return part.startsWith('#') ? part : `${part[0]}${blank(part.slice(1, -1))}${part.at(-1)}`;
  });
}

/** A text in double quotes, a raw one, or a comment, whichever begins first. */
const partsOfRego = /"(?:[^"\\\n]|\\.)*"|`[^`]*`|#[^\n]*/g;

function blank(text: string): string {
  return text.replaceAll(/[^\n]/g, ' ');
}

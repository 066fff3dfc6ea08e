/** The form in which users are compared: whole value, case ignored. */
export function folded(text: string): string {
  return text.normalize('NFC').toLowerCase();
}

/** The form in which texts are searched. SQLite's own text functions stop at a NUL. */
export function searchable(text: string): string {
  return text.normalize('NFC').replaceAll('\0', ' ');
}

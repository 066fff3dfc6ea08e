export const baseUrlRule =
  'must be an https URL without query, fragment or user; http only for localhost, 127.x.x.x and [::1]';

/** An https URL without query or fragment (OIDC Discovery 1.0 section 3). Plain http never leaves this machine. */
export function isBaseUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const url = new URL(text);
  if (text.includes('?') || text.includes('#') || url.username !== '' || url.password !== '') return false;
  if (url.protocol === 'https:') return true;
  return url.protocol === 'http:' && /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(url.hostname);
}

/** A browser as far as these flows need one: keeps cookies, follows redirects within one origin, sends forms. */
export function createBrowser(origin: string, fetchWith: typeof fetch = fetch) {
  const cookies = new Map<string, string>();
  return async function open(url: string, form?: Record<string, string>): Promise<{ url: string; html: string }> {
    if (!url.startsWith(origin)) return { url, html: '' };
    const response = await fetchWith(url, {
      method: form === undefined ? 'GET' : 'POST',
      redirect: 'manual',
      headers: { cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; ') },
      ...(form === undefined ? {} : { body: new URLSearchParams(form) }),
    });
    for (const cookie of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(cookie) ?? [];
      cookies.set(name, value);
    }
    const html = await response.text();
    const location = response.headers.get('location');
    return location === null ? { url, html } : open(new URL(location, url).href);
  };
}

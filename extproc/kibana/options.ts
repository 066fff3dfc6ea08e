import { SkilltapeError } from '../errors.ts';

/**
 * @property prefix begin of the names of the indices, as `index.elasticsearch.prefix`; part of the ids of the objects
 * @property consoleUrl base URL of skilltape's console, without a slash at the end; null: ids are shown without links
 */
export type KibanaOptions = { readonly prefix: string; readonly consoleUrl: string | null };

/** As the configuration has it. */
const prefixPattern = /^[a-z][a-z0-9_]{0,62}$/;
const consoleUrlMaxLength = 2048;

/** Throws SkilltapeError `usage`. */
export function kibanaOptions(written: { prefix: string; consoleUrl?: string | undefined }): KibanaOptions {
  const { prefix, consoleUrl } = written;
  if (!prefixPattern.test(prefix)) {
    throw new SkilltapeError('usage', `--prefix ${JSON.stringify(prefix)} cannot begin the names of indices`, {
      remedy: 'give the value of index.elasticsearch.prefix: a letter, then up to 62 of the characters a-z, 0-9 and _',
    });
  }
  return { prefix, consoleUrl: consoleUrl === undefined ? null : checkedConsoleUrl(consoleUrl) };
}

/** What stands in it becomes a template of Kibana: braces are encoded by the URL parser. */
function checkedConsoleUrl(text: string): string {
  const url = text.length <= consoleUrlMaxLength && URL.canParse(text) ? new URL(text) : null;
  const isPlain = url !== null && url.username === '' && url.password === '' && !/[?#]/.test(text);
  const isLocal = url !== null && /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(url.hostname);
  if (!isPlain || !(url.protocol === 'https:' || (url.protocol === 'http:' && isLocal))) {
    throw new SkilltapeError('usage', '--console-url is no address that links can begin with', {
      remedy: 'give an https URL without user, query and fragment, such as https://skilltape.example.com',
    });
  }
  return url.href.replace(/\/+$/, '');
}

import { elasticsearchCall } from '../environment/elasticsearch/call.ts';

/** The text analysis that a server can do: a cut-down distribution lacks what `folding` needs. */
export async function textAnalysisOf(url: string): Promise<'folding' | 'standard'> {
  const body = { tokenizer: 'standard', filter: ['asciifolding'], text: 'é' };
  const { status } = await elasticsearchCall({ url, method: 'POST', path: '/_analyze', body });
  return status === 200 ? 'folding' : 'standard';
}

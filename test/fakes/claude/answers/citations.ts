/** Texts with citations of every kind. */
import { type Json, textBlock } from '../message.ts';
import type { Part } from './part-context.ts';

const DOCUMENT = { document_index: 0, document_title: 'Revenue report', file_id: null };
const CITED = 'Revenue by region: north 1200';

const BY_CHARACTERS: Json = {
  type: 'char_location',
  cited_text: CITED,
  ...DOCUMENT,
  start_char_index: 0,
  end_char_index: CITED.length,
};
const BY_PAGE: Json = {
  type: 'page_location',
  cited_text: CITED,
  ...DOCUMENT,
  start_page_number: 1,
  end_page_number: 2,
};
const BY_BLOCK: Json = {
  type: 'content_block_location',
  cited_text: CITED,
  ...DOCUMENT,
  start_block_index: 0,
  end_block_index: 1,
};
const BY_SEARCH_RESULT: Json = {
  type: 'search_result_location',
  cited_text: CITED,
  search_result_index: 0,
  source: 'https://example.com/revenue',
  title: 'Revenue report',
  start_block_index: 0,
  end_block_index: 1,
};
const BY_WEB_RESULT: Json = {
  type: 'web_search_result_location',
  cited_text: CITED,
  url: 'https://example.com/revenue/1',
  title: 'Revenue report 1',
  encrypted_index: Buffer.from('fake index').toString('base64'),
};

export const CITED_PARTS = {
  citations: (): Part => ({
    content: [
      textBlock('The report says: '),
      textBlock('the north made 1200', [BY_CHARACTERS, BY_PAGE]),
      textBlock(', as others say too.', [BY_BLOCK, BY_SEARCH_RESULT]),
    ],
  }),
  web_citations: (): Part => ({ content: [textBlock('The web says the same.', [BY_WEB_RESULT])] }),
} as const;

import { type Field, fields } from './fields.ts';
import type { KibanaOptions } from './options.ts';
import { type Reference, type SavedObject, savedObject } from './saved-object.ts';

type FieldFormat = { id: 'url' | 'bytes' | 'duration' | 'number'; params: Readonly<Record<string, unknown>> };

export function dataViewId({ prefix }: KibanaOptions): string {
  return `${prefix}-data-view`;
}

export function dataViewReference(options: KibanaOptions, name: string): Reference {
  return { name, type: 'index-pattern', id: dataViewId(options) };
}

/** The indices of all retention classes; it may be imported before the first document is there. */
export function dataView(options: KibanaOptions): SavedObject {
  return savedObject({
    id: dataViewId(options),
    type: 'index-pattern',
    attributes: {
      title: `${options.prefix}-*`,
      name: `Claude traffic (${options.prefix})`,
      timeFieldName: fields.time,
      allowNoIndex: true,
      fieldFormatMap: JSON.stringify(fieldFormats(options)),
      fieldAttrs: '{}',
      runtimeFieldMap: '{}',
      sourceFilters: '[]',
    },
    references: [],
  });
}

function fieldFormats({ consoleUrl }: KibanaOptions): Partial<Record<Field, FieldFormat>> {
  return {
    [fields.durationNs]: duration,
    [fields.requestBodyBytes]: bytes,
    [fields.responseBodyBytes]: bytes,
    [fields.fileBytes]: bytes,
    [fields.inputTokens]: count,
    [fields.outputTokens]: count,
    [fields.maskedCount]: count,
    ...(consoleUrl === null ? {} : linksTo(consoleUrl)),
  };
}

const bytes: FieldFormat = { id: 'bytes', params: { pattern: '0,0.[0]b' } };
const count: FieldFormat = { id: 'number', params: { pattern: '0,0' } };
const duration: FieldFormat = {
  id: 'duration',
  params: { inputFormat: 'nanoseconds', outputFormat: 'humanizePrecise', outputPrecision: 1, useShortSuffix: true },
};

function linksTo(consoleUrl: string): Partial<Record<Field, FieldFormat>> {
  const exchange = link(`${consoleUrl}/exchanges/{{value}}`);
  const session = link(`${consoleUrl}/sessions/{{value}}`);
  return {
    [fields.exchangeId]: exchange,
    [fields.linkedExchangeId]: exchange,
    [fields.conversationId]: session,
    [fields.sessionId]: session,
  };
}

/** Kibana puts the encoded value of the field in; the id stays what is shown. */
function link(urlTemplate: string): FieldFormat {
  return { id: 'url', params: { type: 'a', urlTemplate, labelTemplate: '{{value}}', openLinkInCurrentTab: false } };
}

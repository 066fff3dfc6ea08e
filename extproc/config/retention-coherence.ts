import type { Fault } from './fault.ts';
import { isSection, valueAt } from './section.ts';

const byDefault = { contentDays: 30, metadataDays: 365 };

/** What must fit together in the section `retention`: there is no content without the metadata by which it is found. */
export function checkRetention(data: unknown): Fault[] {
  const classes = valueAt(data, 'retention.classes');
  if (!isSection(classes)) return [];
  return Object.entries(classes).flatMap(([name, days]: [string, unknown]) => {
    const { contentDays, metadataDays } = { ...byDefault, ...(isSection(days) ? days : {}) };
    if (typeof contentDays !== 'number' || typeof metadataDays !== 'number' || metadataDays >= contentDays) return [];
    return [
      {
        key: `retention.classes.${name}.metadataDays`,
        message: `is ${metadataDays}, but content is kept for ${contentDays} days and is found by its metadata`,
        remedy: `raise it to ${contentDays} or lower contentDays`,
      },
    ];
  });
}

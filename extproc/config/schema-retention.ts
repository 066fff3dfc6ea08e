/** The section of `skilltape.yaml` about how long what is kept. */
import { z } from 'zod';

const classNamePattern = /^[a-z][a-z0-9_-]{0,31}$/;
/** Floor and ceiling of every class: a day is the smallest part that is deleted. */
const retentionDaysMin = 1;
const retentionDaysMax = 3_650;

function days(byDefault: number, description: string) {
  return z.int().min(retentionDaysMin).max(retentionDaysMax).default(byDefault).meta({ description, unit: 'days' });
}

const retentionClass = z.strictObject({
  contentDays: days(
    30,
    'How long what was said is kept, from the end of the day: the sealed record in the archive, texts in the index, values for a reveal.',
  ),
  metadataDays: days(
    365,
    'How long archive and index have who, when, where and how much, from the end of the day; at least `contentDays`.',
  ),
});

export const retention = z.strictObject({
  classes: z.record(z.string().regex(classNamePattern), retentionClass).default({}).meta({
    description:
      'Retention classes by the names that policy `record` gives; 30 and 365 days for a class that is not among them.',
  }),
  diskBudgetPercent: z.int().min(1).max(95).default(70).meta({
    description:
      'How full the volume of the data directory may be. Beyond it `skilltape retention sweep` deletes content before its days are over, the oldest first.',
    unit: 'percent',
  }),
  sweepIntervalHours: z.int().min(0).max(24).default(24).meta({
    description:
      'How often the gateway lets `skilltape retention sweep` run by itself, in a process of its own; 0 leaves it to a timer of yours.',
    unit: 'hours',
  }),
  contentFloorDays: days(7, 'How long nothing goes for want of room, however full the volume is.'),
});

/** How long what is kept, as the configuration says it. */

/** In days, from the end of the day that something belongs to. */
export type ClassDays = { readonly contentDays: number; readonly metadataDays: number };

export type RetentionRules = {
  /** By name; a class that is not among them is kept as `byDefault` says. */
  classes: ReadonlyMap<string, ClassDays>;
  byDefault: ClassDays;
  /** Of the volume of the data directory. */
  diskBudgetPercent: number;
  /** Days for which nothing goes for want of room. */
  contentFloorDays: number;
};

export function daysOf({ classes, byDefault }: RetentionRules, retentionClass: string): ClassDays {
  return classes.get(retentionClass) ?? byDefault;
}

/** The section `retention` of the configuration. */
export function rulesOf(section: {
  readonly classes: { readonly [name: string]: ClassDays };
  readonly diskBudgetPercent: number;
  readonly contentFloorDays: number;
}): RetentionRules {
  return {
    classes: new Map(Object.entries(section.classes)),
    byDefault: { contentDays: contentDaysDefault, metadataDays: metadataDaysDefault },
    diskBudgetPercent: section.diskBudgetPercent,
    contentFloorDays: section.contentFloorDays,
  };
}

export const contentDaysDefault = 30;
export const metadataDaysDefault = 365;

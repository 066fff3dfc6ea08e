import { codeAt, isAlnum, isDigit, isLetter, startsFresh } from './characters.ts';

/** Length of the account number by country, SWIFT IBAN registry. */
export const ibanLengths: ReadonlyMap<string, number> = new Map(
  (
    'AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DJ27 DK18 DO28 EE20 EG29 ' +
    'ES24 FI18 FK18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HN28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 ' +
    'LB28 LC32 LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22 MK19 MN20 MR27 MT31 MU30 NI28 NL18 NO15 OM23 PK24 PL28 PS29 ' +
    'PT25 QA29 RO24 RS22 RU33 SA24 SC31 SD18 SE24 SI19 SK24 SM27 SO23 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20 YE30'
  )
    .split(' ')
    .map((entry) => [entry.slice(0, 2), Number(entry.slice(2))]),
);

/** ISO 7064 mod 97-10 over the rearranged number. */
export function passesMod97(iban: string): boolean {
  const rearranged = iban.slice(4) + iban.slice(0, 4);
  let rest = 0;
  for (let i = 0; i < rearranged.length; i++) {
    const value = Number.parseInt(rearranged.charAt(i), 36);
    rest = (value > 9 ? rest * 100 + value : rest * 10 + value) % 97;
  }
  return rest === 1;
}

/** End of the IBAN whose country code stands at `start`, or -1. Single spaces or hyphens may stand between groups. */
export function ibanEnd(text: string, start: number): number {
  if (!isLetter(codeAt(text, start)) || !startsFresh(text, start)) return -1;
  const length = ibanLengths.get(text.slice(start, start + 2).toUpperCase());
  if (length === undefined) return -1;
  let compact = '';
  let at = start;
  while (compact.length < length) {
    const code = codeAt(text, at);
    if (isAlnum(code)) compact += text.charAt(at);
    else if (!((code === 32 || code === 45) && isAlnum(codeAt(text, at + 1)))) return -1;
    at++;
  }
  if (isAlnum(codeAt(text, at)) || !isDigit(compact.charCodeAt(2)) || !isDigit(compact.charCodeAt(3))) return -1;
  const spelled = compact === compact.toUpperCase() || at - start === length;
  return spelled && passesMod97(compact.toUpperCase()) ? at : -1;
}

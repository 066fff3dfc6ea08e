import { digitAt, passesLuhn, passesMod1110, passesVerhoeff, remainder, weightedSum } from './check-digits.ts';

/**
 * A number that a state gives to a person, written in digits alone. `shapes` are its usual groups with the marks between
 * them (`3.3.3-2`), telling enough to need no word beside them; as `bare` digits, or in a `plain` shape that other numbers
 * have too, it counts only near one of its words.
 */
export type NationalIdRule = {
  id: string;
  digits: number;
  shapes: readonly string[];
  plainShapes: readonly string[];
  words: readonly string[];
  check: (digits: string) => boolean;
};

/** Day and month, in whichever place: what is no date is no personal number. */
function isDate(month: number, day: number): boolean {
  return month >= 1 && month <= 12 && day >= 1 && day <= 31;
}

const two = (digits: string, at: number): number => Number(digits.slice(at, at + 2));
const isOneDigit = (digits: string): boolean => /^(\d)\1*$/.test(digits);

function hasCpfDigits(digits: string): boolean {
  if (isOneDigit(digits)) return false;
  const check = (count: number): number => {
    const rest =
      (weightedSum(
        digits,
        Array.from({ length: count }, (_, at) => count + 1 - at),
      ) *
        10) %
      11;
    return rest % 10;
  };
  return check(9) === digitAt(digits, 9) && check(10) === digitAt(digits, 10);
}

/** One digit of the first ten stands there twice or three times, at least one other is missing. */
function hasTaxIdForm(digits: string): boolean {
  const counts = new Map<string, number>();
  for (const digit of digits.slice(0, 10)) counts.set(digit, (counts.get(digit) ?? 0) + 1);
  const repeated = [...counts.values()].filter((count) => count > 1);
  return digits[0] !== '0' && repeated.length === 1 && (repeated[0] ?? 0) <= 3;
}

function modEleven(digits: string, weights: readonly number[], allowed: number): boolean {
  const check = 11 - (weightedSum(digits, weights) % 11);
  return (check === 11 ? 0 : check) === digitAt(digits, allowed);
}

function hasTurkishDigits(digits: string): boolean {
  const odd = [0, 2, 4, 6, 8].reduce((sum, at) => sum + digitAt(digits, at), 0);
  const even = [1, 3, 5, 7].reduce((sum, at) => sum + digitAt(digits, at), 0);
  const all = odd + even + digitAt(digits, 9);
  return (
    digits[0] !== '0' && (((odd * 7 - even) % 10) + 10) % 10 === digitAt(digits, 9) && all % 10 === digitAt(digits, 10)
  );
}

export const nationalIdRules: readonly NationalIdRule[] = [
  {
    id: 'uk-nhs',
    digits: 10,
    shapes: [],
    plainShapes: ['3 3 4', '3-3-4'],
    words: ['nhs', 'nhs no', 'nhs number', 'health service', 'patient'],
    check: (digits) => !isOneDigit(digits) && modEleven(digits, [10, 9, 8, 7, 6, 5, 4, 3, 2], 9),
  },
  {
    id: 'ca-sin',
    digits: 9,
    shapes: [],
    plainShapes: ['3 3 3', '3-3-3'],
    words: ['sin', 'sins', 'social insurance', 'nas', 'assurance sociale'],
    check: (digits) => digits[0] !== '0' && digits[0] !== '8' && passesLuhn(digits),
  },
  {
    id: 'in-aadhaar',
    digits: 12,
    shapes: [],
    plainShapes: ['4 4 4', '4-4-4'],
    words: ['aadhaar', 'aadhar', 'uidai', 'uid', 'adhaar', 'आधार', 'ஆதார்', 'ఆధార్'],
    check: (digits) => digits >= '2' && !isOneDigit(digits) && passesVerhoeff(digits),
  },
  {
    id: 'br-cpf',
    digits: 11,
    shapes: ['3.3.3-2'],
    plainShapes: ['3 3 3 2', '9-2'],
    words: ['cpf', 'cadastro de pessoas', 'contribuinte'],
    check: hasCpfDigits,
  },
  {
    id: 'de-tax-id',
    digits: 11,
    shapes: ['2 3 3 3'],
    plainShapes: [],
    words: [
      'steuer',
      'steuerid',
      'steuer id',
      'steueridentifikationsnummer',
      'idnr',
      'tin',
      'tax id',
      'identifikationsnummer',
    ],
    check: (digits) => hasTaxIdForm(digits) && passesMod1110(digits),
  },
  {
    id: 'be-national',
    digits: 11,
    shapes: ['2.2.2-3.2'],
    plainShapes: ['2 2 2 3 2'],
    words: ['rijksregister', 'rijksregisternummer', 'insz', 'niss', 'registre national', 'rrn'],
    check: (digits) => {
      const check = 97 - remainder(digits.slice(0, 9), 97);
      return [check, 97 - remainder(`2${digits.slice(0, 9)}`, 97)].includes(two(digits, 9));
    },
  },
  {
    id: 'ch-ahv',
    digits: 13,
    shapes: ['3.4.4.2'],
    plainShapes: ['3 4 4 2'],
    words: ['ahv', 'avs', 'navs', 'ahvn13'],
    check: (digits) =>
      digits.startsWith('756') &&
      (10 - (weightedSum(digits, [1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1, 3]) % 10)) % 10 === digitAt(digits, 12),
  },
  {
    id: 'fr-nir',
    digits: 15,
    shapes: ['1 2 2 2 3 3 2'],
    plainShapes: ['13 2'],
    words: ['nir', 'securite sociale', 'sécurité sociale', 'insee', 'numéro de sécu', 'secu'],
    check: (digits) => /^[12]/.test(digits) && 97 - remainder(digits.slice(0, 13), 97) === two(digits, 13),
  },
  {
    id: 'se-personal-century',
    digits: 12,
    shapes: ['8-4'],
    plainShapes: [],
    words: ['personnummer', 'pnr', 'personal number'],
    check: (digits) =>
      /^(?:19|20)/.test(digits) && isDate(two(digits, 4), two(digits, 6)) && passesLuhn(digits.slice(2)),
  },
  {
    id: 'se-personal',
    digits: 10,
    shapes: ['6-4'],
    plainShapes: [],
    words: ['personnummer', 'pnr', 'personal number'],
    check: (digits) => isDate(two(digits, 2), two(digits, 4)) && passesLuhn(digits),
  },
  {
    id: 'pl-pesel',
    digits: 11,
    shapes: [],
    plainShapes: [],
    words: ['pesel'],
    check: (digits) => (10 - (weightedSum(digits, [1, 3, 7, 9, 1, 3, 7, 9, 1, 3]) % 10)) % 10 === digitAt(digits, 10),
  },
  {
    id: 'nl-bsn',
    digits: 9,
    shapes: [],
    plainShapes: ['4.2.3', '3.3.3'],
    words: ['bsn', 'burgerservicenummer', 'sofi', 'sofinummer'],
    check: (digits) => digits !== '000000000' && weightedSum(digits, [9, 8, 7, 6, 5, 4, 3, 2, -1]) % 11 === 0,
  },
  {
    id: 'au-tfn',
    digits: 9,
    shapes: [],
    plainShapes: ['3 3 3'],
    words: ['tfn', 'tax file'],
    check: (digits) => weightedSum(digits, [1, 4, 3, 7, 5, 8, 6, 9, 10]) % 11 === 0,
  },
  {
    id: 'au-medicare',
    digits: 10,
    shapes: [],
    plainShapes: ['4 5 1'],
    words: ['medicare'],
    check: (digits) =>
      /^[2-6]/.test(digits) && weightedSum(digits, [1, 3, 7, 9, 1, 3, 7, 9]) % 10 === digitAt(digits, 8),
  },
  {
    id: 'za-id',
    digits: 13,
    shapes: [],
    plainShapes: ['6 4 3', '6 4 2 1'],
    words: ['south african id', 'sa id', 'id number', 'rsa id', 'identity number'],
    check: (digits) => isDate(two(digits, 2), two(digits, 4)) && passesLuhn(digits),
  },
  {
    id: 'tr-identity',
    digits: 11,
    shapes: [],
    plainShapes: [],
    words: ['tc kimlik', 'tckn', 'kimlik', 'kimlik no'],
    check: hasTurkishDigits,
  },
  {
    id: 'kr-resident',
    digits: 13,
    shapes: ['6-7'],
    plainShapes: [],
    words: ['rrn', 'jumin', '주민등록번호', 'resident registration'],
    check: (digits) => isDate(two(digits, 2), two(digits, 4)) && /^.{6}[1-8]/.test(digits),
  },
];

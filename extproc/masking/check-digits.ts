/** Check digits of numbers by their published rules; each takes the digits alone. */

/** ISO/IEC 7812-1 annex B. */
export function passesLuhn(digits: string): boolean {
  let sum = 0;
  for (let i = 0; i < digits.length; i++) {
    const value = digitAt(digits, digits.length - 1 - i);
    sum += i % 2 === 0 ? value : value > 4 ? value * 2 - 9 : value * 2;
  }
  return sum % 10 === 0;
}

/** The sum of digits times weights, for as many digits as there are weights. */
export function weightedSum(digits: string, weights: readonly number[]): number {
  return weights.reduce((sum, weight, at) => sum + weight * digitAt(digits, at), 0);
}

/** Verhoeff's code over the dihedral group D5 (Aadhaar). */
export function passesVerhoeff(digits: string): boolean {
  let check = 0;
  for (let i = 0; i < digits.length; i++) {
    check = dihedralProduct(check, permuted(digitAt(digits, digits.length - 1 - i), i % 8));
  }
  return check === 0;
}

/** ISO/IEC 7064 mod 11,10 (the German tax id). */
export function passesMod1110(digits: string): boolean {
  let product = 10;
  for (let i = 0; i < digits.length - 1; i++) {
    const sum = (digitAt(digits, i) + product) % 10;
    product = ((sum === 0 ? 10 : sum) * 2) % 11;
  }
  return (11 - product) % 10 === digitAt(digits, digits.length - 1);
}

/** The rest of a number of any length, given by its digits. */
export function remainder(digits: string, modulus: number): number {
  let rest = 0;
  for (let i = 0; i < digits.length; i++) rest = (rest * 10 + digitAt(digits, i)) % modulus;
  return rest;
}

export function digitAt(digits: string, at: number): number {
  return digits.charCodeAt(at) - 48;
}

/** 0 to 4 are rotations, 5 to 9 reflections of a pentagon. */
function dihedralProduct(a: number, b: number): number {
  const turn = (n: number): number => ((n % 5) + 5) % 5;
  if (a < 5) return b < 5 ? turn(a + b) : 5 + turn(a + (b - 5));
  return b < 5 ? 5 + turn(a - 5 - b) : turn(a - b);
}

const permutation = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4];

function permuted(digit: number, times: number): number {
  let value = digit;
  for (let i = 0; i < times; i++) value = permutation[value] ?? value;
  return value;
}

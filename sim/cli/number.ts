/** Numbers on the command line. */

/** A whole number of decimal digits without sign; undefined where the text is none. */
export function wholeNumber(text: string): number | undefined {
  if (!/^(0|[1-9][0-9]{0,15})$/.test(text)) return undefined;
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : undefined;
}

/**
 * Text of strangers on our terminal and in our log: what is one line stays one line, and reads in the order in which it was
 * written.
 */

/** Control characters, line separators, marks that turn the direction of writing, halves of surrogate pairs. */
const unprintable = /[\p{Cc}\p{Cs}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/gu

export const isPrintable = (text: string): boolean => text.search(unprintable) < 0

/** Each character that does not print becomes a middle dot, so that columns stay what they are. */
export const printable = (text: string): string => text.replaceAll("\t", " ").replaceAll(unprintable, "\u00b7")

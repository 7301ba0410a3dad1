/**
 * How rare a name is, in bits, from its length: the name proper carries six to seven bits a character, a trade word about
 * two. Frozen with the weights' version.
 */
export const nameBits = (body: string): number => (body.length <= 4 ? body.length * 5 : 20 + (body.length - 4) * 1.5);

/** A person's name by its syllables (pinyin without spaces): three bits a letter at first, a Chinese name has about ten letters. */
export const personBits = (pinyin: string): number => Math.min(16, 5 + pinyin.length * 0.8);

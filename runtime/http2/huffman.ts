/**
 * The Huffman code of HPACK (RFC 7541, section 5.2 and appendix B), for decoding only. The code is
 * canonical: codes of one length are consecutive in the order of their symbols, and shorter codes
 * come first, so the lengths alone define it.
 */

/** Bits of the code of every byte; in the appendix's order. */
const LENGTHS: readonly number[] = [
  13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28,
  28, 28, 28, 28, 28, 28, 28, 28, 6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, 5, 5, 5,
  6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10, 13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7,
  7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6, 15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, 6,
  7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28, 20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23,
  23, 23, 24, 23, 24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24, 22, 21, 20, 22,
  22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22,
  23, 22, 22, 23, 26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25, 19, 21, 26, 27,
  27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27, 20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25,
  24, 24, 26, 23, 26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26,
];
/** The end-of-string symbol, which no string may contain; its first bits are the padding. */
const END = 256;
const END_LENGTH = 30;

/**
 * The code as a binary tree in one array: node n has its children at 2n and 2n + 1. A child above
 * zero is another node, one below zero is the symbol -1 - child.
 */
const TREE: Int16Array = buildTree();

function buildTree(): Int16Array {
  const tree = new Int16Array(2 * (END + 1));
  const symbols = Array.from({ length: END + 1 }, (_, symbol) => symbol);
  const lengthOf = (symbol: number): number => LENGTHS[symbol] ?? END_LENGTH;
  symbols.sort((a, b) => lengthOf(a) - lengthOf(b) || a - b);
  let nodes = 1;
  let code = 0;
  let length = 0;
  for (const symbol of symbols) {
    code *= 2 ** (lengthOf(symbol) - length);
    length = lengthOf(symbol);
    let node = 0;
    for (let bit = length - 1; bit > 0; bit -= 1) {
      const at = 2 * node + ((code >>> bit) & 1);
      if (tree[at] === 0) {
        tree[at] = nodes;
        nodes += 1;
      }
      node = tree[at]!;
    }
    tree[2 * node + (code & 1)] = -1 - symbol;
    code += 1;
  }
  return tree;
}

/** The text of `bytes[start..end)`, one character a byte; undefined where it is no valid code. */
export function decodeHuffman(bytes: Uint8Array, start: number, end: number): string | undefined {
  let text = "";
  let node = 0;
  /** Bits since the last whole symbol, and whether all of them were 1. */
  let depth = 0;
  let ones = true;
  for (let at = start; at < end; at += 1) {
    const byte = bytes[at]!;
    for (let bit = 7; bit >= 0; bit -= 1) {
      const one = (byte >>> bit) & 1;
      const child = TREE[2 * node + one]!;
      if (child < 0) {
        if (child === -1 - END) return undefined;
        text += String.fromCharCode(-1 - child);
        node = 0;
        depth = 0;
        ones = true;
      } else {
        node = child;
        depth += 1;
        ones &&= one === 1;
      }
    }
  }
  // What is left must be padding: fewer than eight bits, all ones.
  return depth < 8 && ones ? text : undefined;
}

/** Strongly connected components: Tarjan's algorithm, without recursion. */

/** A directed graph of nodes 0 to `size` - 1. */
export interface Digraph {
  readonly size: number;
  /** How many ways out of `node` there are to try. */
  readonly degree: (node: number) => number;
  /** Where way `i` leads, or -1 where it is closed. Never back to `node` itself. */
  readonly target: (node: number, i: number) => number;
}

/** The components of more than one node: whatever lies on a cycle is in one of them. */
export function cyclicComponents({ size, degree, target }: Digraph): readonly number[][] {
  const found: number[][] = [];
  /** Order of discovery, from 1; 0 is not seen yet. */
  const order = new Int32Array(size);
  const low = new Int32Array(size);
  const tried = new Int32Array(size);
  const isOpen = new Uint8Array(size);
  const open: number[] = [];
  const path: number[] = [];
  let seen = 0;
  const enter = (node: number): void => {
    seen += 1;
    order[node] = seen;
    low[node] = seen;
    isOpen[node] = 1;
    open.push(node);
    path.push(node);
  };
  const lower = (node: number, to: number): void => {
    if (to < (low[node] as number)) low[node] = to;
  };
  for (let root = 0; root < size; root++) {
    if (order[root] === 0) enter(root);
    for (let node = path.at(-1); node !== undefined; node = path.at(-1)) {
      const i = tried[node] as number;
      if (i < degree(node)) {
        tried[node] = i + 1;
        const next = target(node, i);
        if (next < 0) continue;
        if (order[next] === 0) enter(next);
        else if (isOpen[next] === 1) lower(node, order[next] as number);
        continue;
      }
      path.pop();
      const parent = path.at(-1);
      if (parent !== undefined) lower(parent, low[node] as number);
      if (low[node] === order[node]) close(node, open, isOpen, found);
    }
  }
  return found;
}

/** Takes the component whose first node is `node` from the open ones. */
function close(node: number, open: number[], isOpen: Uint8Array, found: number[][]): void {
  const component = open.splice(open.lastIndexOf(node));
  for (const member of component) isOpen[member] = 0;
  if (component.length > 1) found.push(component);
}

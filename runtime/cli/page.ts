/**
 * A page as one file: its style, its only script and what that reads are in it. It asks nothing of
 * any network, and its policy says so.
 */
import { createHash } from "node:crypto";

export interface PageContents {
  readonly title: string;
  readonly style: string;
  readonly script: string;
  /** What stands there without the script, as HTML. */
  readonly body?: string;
  /** Read where there is no JavaScript, if that matters. */
  readonly hint: string;
  /** Texts that the script finds in elements by their ids. */
  readonly held: readonly { readonly id: string; readonly text: string }[];
  /** Directives beside those that every page has. */
  readonly policy: readonly string[];
}

export function pageOf(contents: PageContents): string {
  const { title, style, script, body = "", hint, held, policy } = contents;
  const code = enclosed(script);
  const rules = [
    "default-src 'none'",
    `script-src '${hashOf(code)}'`,
    `style-src '${hashOf(style)}'`,
    "base-uri 'none'",
    "form-action 'none'",
    ...policy,
  ].join("; ");
  const texts = held.map(
    ({ id, text }) =>
      `<script type="application/octet-stream" id="${id}">${enclosed(text)}</script>`,
  );
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${rules}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escaped(title)}</title>
<style>${style}</style>
</head>
<body>
${hint === "" ? body : `<noscript>${escaped(hint)}</noscript>`}
${texts.join("\n")}
<script>${code}</script>
</body>
</html>
`;
}

/** What would end the element early stands in strings only, where this means the same. */
const enclosed = (script: string): string =>
  script.replaceAll("</script", "<\\/script").replaceAll("<!--", "<\\!--");

const hashOf = (text: string): string =>
  `sha256-${createHash("sha256").update(text).digest("base64")}`;

const escaped = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");

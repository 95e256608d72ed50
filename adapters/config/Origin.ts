/** Where a setting comes from, so that whoever wonders about its value knows where to change it. */

export type Origin =
  | { readonly _tag: "Flag"; readonly flag: string }
  | { readonly _tag: "Environment"; readonly variable: string }
  | { readonly _tag: "File"; readonly file: string; readonly line: number; readonly column: number }
  /** What the node joined or founded its mesh with. */
  | { readonly _tag: "Mesh"; readonly file: string }
  /** `because` names what the default follows: `host name`, `STATE_DIRECTORY`; empty: nothing. */
  | { readonly _tag: "Default"; readonly because: string }

/** `--role`, `CLAWMESH_ROLE`, `/etc/clawmesh/node.yaml:3:7`, `default (host name)`. Lines and columns count from 1. */
export const originText = (origin: Origin): string => {
  switch (origin._tag) {
    case "Flag":
      return origin.flag
    case "Environment":
      return origin.variable
    case "File":
      return `${origin.file}:${origin.line}:${origin.column}`
    case "Mesh":
      return `${origin.file} (as it joined)`
    case "Default":
      return origin.because === "" ? "default" : `default (${origin.because})`
  }
}

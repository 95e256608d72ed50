/**
 * The fence between the folders, as two rules of oxlint. `arrows`: who may import whom. `pure`: what the kernel may say at all,
 * so that the same inputs give the same outputs for ever.
 *
 * Globals are an allow list: what nobody thought of is outside. The compiler (kernel/tsconfig.json: no types, a plain lib) holds
 * the same fence where it can, and the simulator poisons the host at run time; this is the middle one of the three.
 * Not modelled: what code computes at run time, such as `[]["constructor"]`.
 */
import { dirname, relative, resolve, sep } from "node:path"

/** What we use of oxlint's plugin interface, which is ESLint's; oxlint exports no types for it. */
interface Node {
  readonly type: string
  readonly parent: Node
  readonly [key: string]: unknown
}
interface Reference {
  readonly identifier: Node & { readonly name: string }
  readonly isTypeReference?: boolean
}
interface Variable {
  readonly name: string
  readonly defs: ReadonlyArray<{ readonly type: string; readonly node: Node; readonly parent: Node | null }>
  readonly references: ReadonlyArray<Reference>
}
interface Scope {
  readonly variables: ReadonlyArray<Variable>
  readonly through: ReadonlyArray<Reference>
}
interface Context {
  readonly filename: string
  readonly sourceCode: { readonly scopeManager: { readonly scopes: ReadonlyArray<Scope> } }
  readonly report: (problem: { readonly node: Node; readonly message: string }) => void
}
type Visitor = { readonly [nodeType: string]: (node: Node) => void }

const root = resolve(import.meta.dirname, "../..")

/** What a node has recorded, read and done again: the one part of the adapters that the simulator may use. */
const RECORDED = "adapters/recorded"

/** What each folder may import of the project; a folder that is not here may import everything (test, .ci). */
const arrows: { readonly [folder: string]: ReadonlyArray<string> } = {
  kernel: ["kernel"],
  [RECORDED]: [RECORDED, "kernel"],
  sim: ["sim", RECORDED, "kernel"],
  adapters: ["adapters", RECORDED, "kernel"],
  bench: ["bench", "sim", "adapters", RECORDED, "kernel"]
}

const folderOf = (path: string): string => {
  const parts = relative(root, path).split(sep)
  return parts.slice(0, 2).join("/") === RECORDED ? RECORDED : (parts[0] ?? "")
}

/** One file, one concept, in the core of effect: capitalised. Its folders (http, socket, cli, testing, …) are lower case. */
const effectCore = /^effect\/[A-Z][A-Za-z]*$/u
/** Of the core, what reaches for a world (its files, its terminal, its clock) or carries no promise of stability. */
const worldly =
  /^effect\/(Arbitrary|Config|ConfigProvider|Console|Cron|DateTime|FileSystem|Glob|Graph|HashRing|Logger|ManagedRuntime|Path|PlatformError|Random|Runtime|Stdio|Terminal|TextDiff|Tx[A-Za-z]+)$/u

/** Calls `visit` with every module that the file names, and the node that names it. */
const onImports = (visit: (source: string, node: Node) => void): Visitor => {
  const sourceOf = (node: Node): void => {
    const source = (node["source"] ?? node["argument"] ?? node["expression"]) as { readonly value?: unknown } | null
    if (typeof source?.value === "string") visit(source.value, node)
  }
  return {
    ImportDeclaration: sourceOf,
    ExportNamedDeclaration: sourceOf,
    ExportAllDeclaration: sourceOf,
    ImportExpression: sourceOf,
    TSImportType: sourceOf,
    TSExternalModuleReference: sourceOf
  }
}

const arrowsRule = {
  create: (context: Context): Visitor => {
    const from = folderOf(context.filename)
    const allowed = arrows[from]
    if (allowed === undefined) return {}
    return onImports((source, node) => {
      if (source.startsWith(".")) {
        const to = folderOf(resolve(dirname(context.filename), source))
        // The package's own name and version are no module, and a program may say them.
        if (!allowed.includes(to) && !(from === "adapters" && to === "package.json"))
          context.report({ node, message: `${from}/ must not import ${to}/: arrows point inward` })
      } else if (from === "kernel" && !effectCore.test(source)) {
        context.report({
          node,
          message: `the kernel imports the core of effect, by module, and itself; not "${source}"`
        })
      } else if (from === "kernel" && worldly.test(source)) {
        context.report({ node, message: `"${source}" reaches outside: the kernel takes it as an input or asks a port` })
      }
    })
  }
}

const kernelGlobals = new Set(
  "Array BigInt Boolean DataView Infinity JSON Map Math NaN Number Object Set String Uint8Array WeakMap encodeURIComponent undefined".split(
    " "
  )
)
/** The compiler knows these types without any library of ours, and each stands for something the kernel does not have. */
const foreignTypes = new Set(
  "AsyncGenerator AsyncIterable AsyncIterator Date FinalizationRegistry Intl Promise PromiseLike WeakRef".split(" ")
)
/** Exact in every engine; the others (sin, exp, pow, …) may differ in the last bit from one to the next. */
const exactMath = new Set("abs ceil clz32 floor imul max min round trunc".split(" "))
const localised = /^(localeCompare|toLocale[A-Za-z]*)$/u
const runsEffects = /^(run[A-Z][A-Za-z]*|promise|tryPromise)$/u

const memberName = (node: Node): string | null => {
  const property = node["property"] as (Node & { readonly name?: string; readonly value?: unknown }) | undefined
  if (property === undefined) return null
  if (node["computed"] !== true) return property.name ?? null
  return typeof property.value === "string" ? property.value : null
}

const literal = (node: unknown): unknown => (node as { readonly value?: unknown }).value

const pureRule = {
  create: (context: Context): Visitor => {
    const refuse = (node: Node, message: string): void => context.report({ node, message })

    const onGlobal = ({ identifier, isTypeReference }: Reference): void => {
      const { name } = identifier
      if (isTypeReference === true) {
        if (foreignTypes.has(name)) refuse(identifier, `the kernel has no ${name}`)
      } else if (!kernelGlobals.has(name)) {
        refuse(identifier, `the kernel has no ${name}: what it needs of the world is an input or a port`)
      } else if (name === "Math") {
        const member = onlyMember(identifier)
        if (member === null || !exactMath.has(member)) {
          refuse(identifier, `of Math, the kernel uses only what is exact everywhere: ${[...exactMath].join(", ")}`)
        }
      }
    }

    const onEffect = ({ identifier }: Reference): void => {
      if (identifier.parent.type === "TSQualifiedName") return
      const member = onlyMember(identifier)
      if (member === null) refuse(identifier, "use the module Effect by its members, so that the fence can see them")
      else if (runsEffects.test(member))
        refuse(identifier, `Effect.${member}: the kernel describes effects, it runs none`)
    }

    /** The member's name when the identifier stands only before its dot; else `null`. */
    const onlyMember = (identifier: Node): string | null => {
      const { parent } = identifier
      return parent.type === "MemberExpression" && parent["object"] === identifier ? memberName(parent) : null
    }

    const asynchronous = (node: Node): void => {
      if (node["async"] === true) refuse(node, "the kernel has no async functions: a command now, an input later")
    }

    return {
      Program: () => {
        const { scopes } = context.sourceCode.scopeManager
        for (const reference of scopes[0]?.through ?? []) onGlobal(reference)
        for (const variable of scopes[0]?.variables ?? []) {
          if (variable.defs.length === 0) variable.references.forEach(onGlobal)
        }
        for (const scope of scopes) {
          for (const { defs, references } of scope.variables) {
            const fromEffect = defs.some(
              ({ node, parent, type }) =>
                type === "ImportBinding" &&
                node.type === "ImportNamespaceSpecifier" &&
                (parent?.["source"] as { readonly value?: unknown } | undefined)?.value === "effect/Effect"
            )
            if (fromEffect) references.forEach(onEffect)
          }
        }
      },
      ImportDeclaration: (node) => {
        if ((node["source"] as { readonly value?: unknown }).value !== "effect/Effect") return
        for (const specifier of node["specifiers"] as ReadonlyArray<Node>) {
          if (specifier.type !== "ImportNamespaceSpecifier")
            refuse(specifier, 'import * as Effect from "effect/Effect"')
        }
      },
      ImportExpression: (node) => refuse(node, "the kernel loads nothing at run time"),
      MetaProperty: (node) => {
        if ((node["meta"] as { readonly name?: string }).name === "import")
          refuse(node, "the kernel does not know where it is")
      },
      MemberExpression: (node) => {
        const name = memberName(node)
        if (name !== null && localised.test(name)) refuse(node, `${name} depends on the host's language`)
      },
      BinaryExpression: (node) => {
        // A power of two that is written out is exact, and reads better than its digits.
        const isTwoToTheN = literal(node["left"]) === 2 && Number.isInteger(literal(node["right"]))
        if (node["operator"] === "**" && !isTwoToTheN) refuse(node, "** may differ in the last bit: shift, or multiply")
      },
      AssignmentExpression: (node) => {
        if (node["operator"] === "**=") refuse(node, "** may differ in the last bit: shift, or multiply")
      },
      FunctionDeclaration: asynchronous,
      FunctionExpression: asynchronous,
      ArrowFunctionExpression: asynchronous,
      AwaitExpression: (node) => refuse(node, "the kernel waits for nothing: a command now, an input later"),
      ForOfStatement: (node) => {
        if (node["await"] === true) refuse(node, "the kernel waits for nothing: a command now, an input later")
      }
    }
  }
}

export default { meta: { name: "fence" }, rules: { arrows: arrowsRule, pure: pureRule } }

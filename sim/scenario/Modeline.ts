/** The first line of a scenario whose editor shall know the language; `path`: to the schema, from the scenario's folder. */
export const modeline = (path: string): string => `# yaml-language-server: $schema=${path}`

/** `pnpm sim from-recording`: a scenario of what real nodes recorded. */
import * as Effect from "effect/Effect"
import { openRecording, type Recording } from "../../adapters/recorded/Open.ts"
import { incidentOf } from "../recorded/Incident.ts"
import { scenarioText } from "../recorded/Scenario.ts"
import { type Exit, exits } from "./Exit.ts"
import { fileFor, schemaFrom, write } from "./New.ts"
import type { FromRecordingOrder } from "./Order.ts"
import { line } from "./Records.ts"
import { loadEngine, notYours, type Records, shellWord, type Surroundings } from "./Surroundings.ts"

export const fromRecording = async (
  { files, json, save }: FromRecordingOrder,
  around: Surroundings,
  records: Records
): Promise<Exit> => {
  const refuse = (message: string): Exit => {
    records.error("WRONG_USE", exits.wrongUse, message)
    return exits.wrongUse
  }
  const recordings: Array<Recording> = []
  for (const file of files) {
    const opened = await Effect.runPromise(openRecording(around.cwd, file))
    if ("problem" in opened) return refuse(opened.problem)
    const twice = recordings.find(({ deviceId }) => deviceId === opened.deviceId)
    if (twice !== undefined)
      return refuse(`${twice.source} and ${file} are of one device, ${opened.name}; give one of them`)
    recordings.push(opened)
  }
  for (const { problems } of recordings) for (const problem of problems) around.err(`${problem}\n`)
  const incident = incidentOf(recordings)
  const title = `What ${recordings.map(({ name }) => name).join(", ")} recorded`
  const textFor = (schema: string): string => scenarioText(incident, { schema, sources: files, title })
  const engine = await loadEngine(around, records)
  if (engine === null) return exits.defect
  const file = fileFor(save ?? "incident")
  const read = engine.read(file, Buffer.from(textFor(schemaFrom(around.cwd))))
  if (!("scenario" in read)) {
    records.error("DEFECT", exits.defect, `the scenario that was made does not read. ${notYours}\n${read.told}`)
    return exits.defect
  }
  const record = line({
    $type: "clawmesh.from-recording/1",
    file: save === null ? null : file,
    nodes: incident.devices.map(({ id, name, recorded }) => ({ id, name, recorded })),
    limits: incident.limits
  })
  if (save === null) {
    records.write(record)
    around.out(textFor(schemaFrom(around.cwd)))
    return exits.passed
  }
  const problem = write(file, around.cwd, (_, schema) => textFor(schema))
  if (problem !== null) {
    records.error(problem.misuse ? "WRONG_USE" : "UNWRITABLE", exits.wrongUse, problem.message)
    return exits.wrongUse
  }
  records.write(record)
  if (json !== "stdout") around.out(`${file} is there, and runs: pnpm sim ${shellWord(file)}\n`)
  return exits.passed
}

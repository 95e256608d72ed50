/**
 * Ids of devices and meshes as text (PROTOCOL.md part 2). The kernel never hashes: whoever holds the key store hashes what
 * these functions say, so that the real keys and the simulated ones hash the same thing.
 */

const DEVICE_ID = /^[0-9a-f]{64}$/u

/** Lower-case hex SHA-256, 64 digits; whether it is the hash of any key, only a key can tell. */
export const isDeviceId = (text: string): boolean => DEVICE_ID.test(text)

/** What is hashed (SHA-256 over UTF-8, lower-case hex) for the id of the mesh of this name. */
export const meshIdPreimage = (meshName: string): string => `clawmesh|mesh|${meshName}`

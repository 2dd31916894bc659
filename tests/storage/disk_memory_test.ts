import { MemoryDisk, MemoryFile } from "../../lib/storage/disk_memory.ts";
import { testDisk } from "./disk_suite.ts";
import { FaultyDisk, FaultyMachine } from "./faulty_disk.ts";

testDisk("MemoryDisk", () => {
  const file = new MemoryFile();
  return { open: () => new MemoryDisk(file), remove: () => {} };
});

testDisk("FaultyDisk", () => {
  const machine = new FaultyMachine();
  return { open: () => new FaultyDisk(machine), remove: () => {} };
});

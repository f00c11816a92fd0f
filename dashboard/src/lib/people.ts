// What names and passwords may be, as the node checks them.

const sizeOf = (text: string) => new TextEncoder().encode(text).length;

/** What is wrong with a password that is to be; nothing for one that may be. */
export function passwordFault(password: string): string | null {
  const size = sizeOf(password);
  return size >= 8 && size <= 256 ? null : "8 to 256 bytes";
}

/** What is wrong with a name that is to be. */
export function nameFault(name: string): string | null {
  if (name.trim() !== name) return "No space around it";
  return name !== "" && sizeOf(name) <= 256 ? null : "1 to 256 bytes";
}

/** What the roles may do, in a few words. */
export const ROLES = [
  { value: "administrator", label: "Administrator: everything" },
  { value: "viewer", label: "Viewer: see, change nothing" },
  { value: "publisher", label: "Publisher: publish only" },
] as const;

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

const CODE_DIGITS = 6;

/** The digits of a code, however it was written or pasted. */
export function digitsOf(text: string): string {
  return text.replace(/\D/g, "").slice(0, CODE_DIGITS);
}

/** What is wrong with a code of the second factor. */
export function codeFault(code: string): string | null {
  return code.length === CODE_DIGITS ? null : "Six digits";
}

/** A secret in groups of four, as it is typed into an app. */
export function groupsOf(secret: string): string {
  return secret.replace(/(.{4})(?=.)/g, "$1 ");
}

/** What the roles may do, in a few words. */
export const ROLES = [
  { value: "administrator", label: "Administrator: everything" },
  { value: "viewer", label: "Viewer: see, change nothing" },
  { value: "publisher", label: "Publisher: publish only" },
] as const;

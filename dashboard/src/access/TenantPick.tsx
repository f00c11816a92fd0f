import { Select, type SelectProps } from "@mantine/core";
import { useConfig } from "../settings/queries";
import { tenantsOf } from "../settings/tenants";

interface TenantPickProps extends Omit<SelectProps, "value" | "onChange" | "data"> {
  value: string;
  onPick: (tenant: string) => void;
}

/** Whose it is: a tenant's, or nobody's; nothing where the node has no tenants. */
export function TenantPick({ value, onPick, ...rest }: TenantPickProps) {
  const names = tenantsOf(useConfig().data?.config).map(({ name }) => name);
  if (names.length === 0 && value === "") return null;
  // One that the configuration does not name any more can still be looked at.
  const known = names.includes(value) || value === "" ? names : [...names, value];
  return (
    <Select
      data={[
        { value: "", label: "Of no tenant" },
        ...known.map((name) => ({ value: name, label: `Of ${name}` })),
      ]}
      allowDeselect={false}
      searchable={known.length > 8}
      value={value}
      onChange={(tenant) => onPick(tenant ?? "")}
      {...rest}
    />
  );
}

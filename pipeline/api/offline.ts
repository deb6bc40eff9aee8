/** The option, or DECANT_OFFLINE for everything in a shell or a container. */
export const isOffline = ({ offline }: { readonly offline?: boolean }): boolean =>
  offline === true || !['', '0', 'false'].includes(process.env.DECANT_OFFLINE ?? '');

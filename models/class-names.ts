const listed = (labels: readonly string[]): string =>
  labels.length <= 6 ? labels.join(', ') : `${labels.slice(0, 5).join(', ')} and ${labels.length - 5} more`;

/** Names that the data writes in another case. */
const otherCase = (model: readonly string[], data: readonly string[]): string => {
  const lower = new Map(model.map((label) => [label.toLowerCase(), label]));
  const pairs = data.flatMap((label) => {
    const other = lower.get(label.toLowerCase());
    return other === undefined || model.includes(label) ? [] : [`'${other}' there is '${label}' here`];
  });
  return pairs.length === 0 ? '' : `names differ in case alone (${pairs.slice(0, 3).join(', ')}); `;
};

/** Why a classifier's labels cannot be those of the data; undefined where it knows each of them by one name. */
export const labelProblem = (model: readonly string[], data: readonly string[]): string | undefined => {
  const unique = new Set(model).size === model.length;
  if (unique && data.every((label) => model.includes(label))) return undefined;
  return (
    `the checkpoint classifies into ${model.length} labels (${listed(model)}), the data has ${data.length} (${listed(data)}): ` +
    `${otherCase(model, data)}write the data's names into id2label of config.json if they mean the same, or put a new head on it with 'head: new'`
  );
};

/** What becomes of labels that the data does not have; undefined where there is none. */
export const labelRemark = (model: readonly string[], data: readonly string[]): string | undefined => {
  const more = model.filter((label) => !data.includes(label));
  return more.length === 0
    ? undefined
    : `the checkpoint also classifies into ${listed(more)}, which the data does not have: it chooses among the data's ${data.length} classes alone`;
};

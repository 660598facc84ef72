/** The words and quotes of the worksheet's SQL, for colours only: the server decides what is valid. */
import { SQLDialect } from "@codemirror/lang-sql";

const keywords = `add after all alter analyze and anti as asc before between branch branches bucket buckets by
cache call cascade case change cluster clustered column columns comment compute cost create cross cube current
database databases dbproperties delete desc describe disable distinct distribute div drop else enable end enforced
escape except exclude exists explain extended external fields first following for format from full function functions
global grant group grouping having history if ilike in inner insert intersect interval into is join key kill lateral
left lifecycle like limit list local location mapjoin matched materialized merge minus natural not novalidate nulls of
offset on only or order outer over overwrite partition partitioned partitions preceding primary project projects
purge qualify range recursive regexp rely rename replace reset restrict revoke right rlike role roles rollup row rows
schema schemas select semi set setproject sets show sort sorted source statistics status stored table tables
tablesample tag tags tblproperties then to truncate unbounded union unnest unset update use user users using values
version view views wait when where whoami window with within`;

const types = `array bigint binary blob boolean bytes char date datetime decimal double float geography geometry int
integer json map multiset row smallint string struct time timestamp timestamp_ltz timestamp_ntz tinyint varbinary
varchar variant vector void`;

const oneLine = (words: string) => words.replace(/\s+/g, " ");

export const dialect = SQLDialect.define({
  keywords: oneLine(keywords),
  types: oneLine(types),
  builtin: "",
  backslashEscapes: true,
  doubleQuotedStrings: true,
  identifierQuotes: "`",
  caseInsensitiveIdentifiers: true,
  hashComments: false,
  slashComments: false,
});

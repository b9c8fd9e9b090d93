/* A library with the C interface of SAP's NW RFC SDK and a very small SAP behind it, for the tests of the driver.
 *
 * What it commits it appends to the file FAKE_NWRFC_BOOKS, so that a test can kill the process that loaded it.
 * It refuses what the real one refuses: a buffer that is too small, an unknown field, a broken connection.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef uint16_t uc;
typedef struct {
    int code, group;
    uc key[128], message[512], msgClass[21], msgType[2], msgNumber[4], v1[51], v2[51], v3[51], v4[51];
} ErrorInfo;
typedef struct { const uc *name, *value; } ConnectionParameter;
typedef struct {
    uc name[31];
    int type, direction;
    unsigned nuc, ucl, decimals;
    void *typeDesc;
    uc defaultValue[31], text[80];
    unsigned char optional;
    void *extended;
} ParameterDesc;
typedef struct {
    uc name[31];
    int type;
    unsigned nuc, nucOffset, ucl, ucOffset, decimals;
    void *typeDesc, *extended;
} FieldDesc;
typedef struct {
    uc dest[65], host[101], partnerHost[101], sysNumber[3], sysId[9], client[4], user[13], language[3], trace[2],
        isoLanguage[3], codepage[5], partnerCodepage[5], rfcRole[2], type[2], partnerType[2], rel[5], partnerRel[5],
        kernelRel[5], cpicConvId[9], progName[129], partnerBytesPerChar[2], partnerSystemCodepage[5], partnerIP[16],
        partnerIPv6[46], reserved[17];
} Attributes;

enum { CHAR, DATE, BCD, TIME, BYTE, TABLE, NUM, FLOAT, INT, INT2, INT1, STRUCTURE = 17, STRING = 29, XSTRING, INT8 };
enum { IMPORT = 1, EXPORT = 2, TABLES = 7 };

typedef struct Type Type;
typedef struct { const char *name; int type; unsigned nuc, decimals; const Type *of; int direction; } Field;
struct Type { const char *name; const Field *fields; };

static const Field HEADER_FIELDS[] = {
    {"BUS_ACT", CHAR, 4}, {"COMP_CODE", CHAR, 4}, {"PSTNG_DATE", DATE, 8}, {"REF_DOC_NO", CHAR, 16}, {0}};
static const Field GL_FIELDS[] = {{"ITEMNO_ACC", NUM, 10}, {"GL_ACCOUNT", CHAR, 10}, {"ITEM_TEXT", CHAR, 50}, {0}};
static const Field AMOUNT_FIELDS[] = {
    {"ITEMNO_ACC", NUM, 10}, {"CURRENCY", CHAR, 5}, {"AMT_DOCCUR", BCD, 12, 4}, {0}};
static const Field RETURN_FIELDS[] = {
    {"TYPE", CHAR, 1}, {"ID", CHAR, 20}, {"NUMBER", NUM, 3}, {"MESSAGE", CHAR, 220}, {"ROW", INT, 4}, {0}};
static const Field NESTED_FIELDS[] = {{"WORD", CHAR, 5}, {0}};
static const Field WA_FIELDS[] = {{"WA", CHAR, 512}, {0}};
static const Type HEADER = {"HEADER", HEADER_FIELDS}, GL = {"GL", GL_FIELDS}, AMOUNT = {"AMOUNT", AMOUNT_FIELDS},
                  RETURNED = {"RETURN", RETURN_FIELDS}, NESTED = {"NESTED", NESTED_FIELDS}, WA = {"WA", WA_FIELDS};
static const Field ALL_FIELDS[] = {
    {"A_CHAR", CHAR, 5}, {"A_NUM", NUM, 6}, {"A_DATE", DATE, 8}, {"A_TIME", TIME, 6}, {"A_DEC", BCD, 7, 2},
    {"AN_INT", INT, 4}, {"AN_INT1", INT1, 1}, {"AN_INT2", INT2, 2}, {"AN_INT8", INT8, 8}, {"A_FLOAT", FLOAT, 8},
    {"A_STRING", STRING, 8}, {"AN_XSTRING", XSTRING, 8}, {"BYTES", BYTE, 4}, {"NESTED", STRUCTURE, 5, 0, &NESTED},
    {"ROWS", TABLE, 5, 0, &NESTED}, {0}};
static const Type ALL = {"ALL", ALL_FIELDS};

static const Field POST[] = {
    {"DOCUMENTHEADER", STRUCTURE, 32, 0, &HEADER, IMPORT}, {"OBJ_KEY", CHAR, 20, 0, 0, EXPORT},
    {"ACCOUNTGL", TABLE, 70, 0, &GL, TABLES}, {"CURRENCYAMOUNT", TABLE, 27, 0, &AMOUNT, TABLES},
    {"RETURN", TABLE, 248, 0, &RETURNED, TABLES}, {0}};
static const Field COMMIT[] = {{"WAIT", CHAR, 1, 0, 0, IMPORT}, {"RETURN", STRUCTURE, 248, 0, &RETURNED, EXPORT}, {0}};
static const Field ROLLBACK[] = {{"RETURN", STRUCTURE, 248, 0, &RETURNED, EXPORT}, {0}};
static const Field ECHO[] = {{"INPUT", STRUCTURE, 99, 0, &ALL, IMPORT}, {"OUTPUT", STRUCTURE, 99, 0, &ALL, EXPORT}, {0}};
static const Field READ[] = {{"QUERY_TABLE", CHAR, 30, 0, 0, IMPORT}, {"DATA", TABLE, 512, 0, &WA, TABLES}, {0}};
static const Field NONE[] = {{0}};
static const Type FUNCTIONS[] = {
    {"BAPI_ACC_DOCUMENT_POST", POST}, {"BAPI_TRANSACTION_COMMIT", COMMIT}, {"BAPI_TRANSACTION_ROLLBACK", ROLLBACK},
    {"Z_ECHO", ECHO}, {"RFC_READ_TABLE", READ}, {"Z_RAISES", NONE}, {"Z_BREAKS", NONE}, {"Z_NEVER_ENDS", NONE}, {0}};

/* One container: a value per field. Text and bytes are kept as units, numbers as text of their own. */
typedef struct Container Container;
typedef struct { uc *units; unsigned length; long long number; Container *child; } Value;
struct Container { const Field *fields; Value values[32]; Container **rows; unsigned count, current; const char *function; };
typedef struct { int alive, broken, cancelled, pending; char reference[64]; } Connection;

static unsigned length_of(const uc *text) { unsigned n = 0; while (text[n]) n++; return n; }
static void widen(uc *to, const char *from) { while ((*to++ = (uc)(unsigned char)*from++)) {} }
static int same(const uc *wide, const char *narrow) {
    while (*narrow && *wide == (uc)(unsigned char)*narrow) { wide++; narrow++; }
    return *wide == 0 && *narrow == 0;
}
static int fail(ErrorInfo *error, int code, int group, const char *key, const char *message) {
    memset(error, 0, sizeof *error);
    error->code = code, error->group = group;
    widen(error->key, key), widen(error->message, message);
    return code;
}
static Container *make(const Field *fields) {
    Container *made = calloc(1, sizeof *made);
    made->fields = fields;
    for (int i = 0; fields[i].name; i++)
        if (fields[i].type == STRUCTURE || fields[i].type == TABLE) made->values[i].child = make(fields[i].of->fields);
    return made;
}
static Value *find(Container *in, const uc *name, const Field **field, ErrorInfo *error) {
    for (int i = 0; in->fields[i].name; i++)
        if (same(name, in->fields[i].name)) { *field = &in->fields[i]; return &in->values[i]; }
    fail(error, 20, 5, "RFC_INVALID_PARAMETER", "field not found");
    return 0;
}
static void keep(Value *value, const void *units, unsigned length, unsigned size) {
    free(value->units);
    value->units = malloc((length + 1) * size);
    memcpy(value->units, units, length * size);
    value->length = length;
}
static Value *named(Container *in, const char *name) {
    for (int i = 0; in->fields[i].name; i++) if (!strcmp(in->fields[i].name, name)) return &in->values[i];
    abort();
}
static void say(Container *in, const char *name, const char *text) {
    uc wide[600];
    widen(wide, text);
    keep(named(in, name), wide, length_of(wide), 2);
}
static void narrow(Container *in, const char *name, char *to) {
    Value *value = named(in, name);
    for (unsigned i = 0; i < value->length; i++) to[i] = (char)value->units[i];
    to[value->length] = 0;
}
static Container *append(Container *table) {
    table->rows = realloc(table->rows, (table->count + 1) * sizeof *table->rows);
    return table->rows[table->count++] = make(table->fields);
}
static void message(Container *row, const char *type, const char *id, const char *number, const char *text) {
    say(row, "TYPE", type), say(row, "ID", id), say(row, "NUMBER", number), say(row, "MESSAGE", text);
}

void *RfcOpenConnection(const ConnectionParameter *given, unsigned count, ErrorInfo *error) {
    int password = 0, reached = 0;
    for (unsigned i = 0; i < count; i++) {
        if (same(given[i].name, "passwd")) password = same(given[i].value, "secret");
        if (same(given[i].name, "ashost")) reached = same(given[i].value, "sap.example.com");
    }
    if (!reached) { fail(error, 1, 4, "RFC_COMMUNICATION_FAILURE", "partner not reached"); return 0; }
    if (!password) { fail(error, 2, 3, "RFC_LOGON_FAILURE", "Name or password is incorrect"); return 0; }
    Connection *made = calloc(1, sizeof *made);
    made->alive = 1;
    return made;
}
int RfcCloseConnection(Connection *at, ErrorInfo *error) { (void)error; at->alive = 0; return 0; }
int RfcCancel(Connection *at, ErrorInfo *error) { (void)error; at->cancelled = 1; return 0; }
int RfcGetConnectionAttributes(Connection *at, Attributes *found, ErrorInfo *error) {
    (void)at, (void)error;
    memset(found, 0, sizeof *found);
    widen(found->sysId, "FAK"), widen(found->client, "100"), widen(found->partnerRel, "750");
    widen(found->partnerSystemCodepage, "4103"), widen(found->reserved, "sixteen places..");
    return 0;
}
const Type *RfcGetFunctionDesc(Connection *at, const uc *name, ErrorInfo *error) {
    if (at->broken) { fail(error, 6, 4, "RFC_CLOSED", "connection closed"); return 0; }
    for (const Type *each = FUNCTIONS; each->name; each++) if (same(name, each->name)) return each;
    fail(error, 5, 1, "FU_NOT_FOUND", "function not found");
    return 0;
}
static int count_of(const Field *fields) { int n = 0; while (fields[n].name) n++; return n; }
int RfcGetParameterCount(const Type *of, unsigned *count, ErrorInfo *error) { (void)error; *count = count_of(of->fields); return 0; }
int RfcGetFieldCount(const Type *of, unsigned *count, ErrorInfo *error) { (void)error; *count = count_of(of->fields); return 0; }
int RfcGetParameterDescByIndex(const Type *of, unsigned index, ParameterDesc *found, ErrorInfo *error) {
    const Field *field = &of->fields[index];
    (void)error;
    memset(found, 0, sizeof *found);
    widen(found->name, field->name);
    found->type = field->type, found->direction = field->direction, found->nuc = field->nuc, found->ucl = 2 * field->nuc;
    found->decimals = field->decimals, found->typeDesc = (void *)field->of;
    return 0;
}
int RfcGetFieldDescByIndex(const Type *of, unsigned index, FieldDesc *found, ErrorInfo *error) {
    const Field *field = &of->fields[index];
    (void)error;
    memset(found, 0, sizeof *found);
    widen(found->name, field->name);
    found->type = field->type, found->nuc = field->nuc, found->ucl = 2 * field->nuc;
    found->decimals = field->decimals, found->typeDesc = (void *)field->of;
    return 0;
}
Container *RfcCreateFunction(const Type *of, ErrorInfo *error) {
    (void)error;
    Container *made = make(of->fields);
    made->function = of->name;
    return made;
}
int RfcDestroyFunction(Container *container, ErrorInfo *error) { (void)container, (void)error; return 0; }

int RfcSetString(Container *in, const uc *name, const uc *text, unsigned length, ErrorInfo *error) {
    const Field *field;
    Value *value = find(in, name, &field, error);
    if (!value) return 20;
    unsigned most = field->type == STRING ? ~0u : field->type == BCD || field->type == FLOAT ? 40 : field->nuc;
    if (length > most) return fail(error, 23, 5, "RFC_BUFFER_TOO_SMALL", "the value is longer than its field");
    keep(value, text, length, 2);
    return 0;
}
static int set_number(Container *in, const uc *name, long long number, ErrorInfo *error) {
    const Field *field;
    Value *value = find(in, name, &field, error);
    if (!value) return 20;
    value->number = number;
    return 0;
}
int RfcSetInt(Container *in, const uc *name, int number, ErrorInfo *error) { return set_number(in, name, number, error); }
int RfcSetInt8(Container *in, const uc *name, long long number, ErrorInfo *error) { return set_number(in, name, number, error); }
int RfcSetBytes(Container *in, const uc *name, const unsigned char *raw, unsigned length, ErrorInfo *error) {
    const Field *field;
    Value *value = find(in, name, &field, error);
    if (!value) return 20;
    keep(value, raw, length, 1);
    return 0;
}
int RfcSetXString(Container *in, const uc *name, const unsigned char *raw, unsigned length, ErrorInfo *error) {
    return RfcSetBytes(in, name, raw, length, error);
}
/* Fixed text comes padded with blanks and without a null at its end. */
int RfcGetChars(Container *in, const uc *name, uc *to, unsigned length, ErrorInfo *error) {
    const Field *field;
    Value *value = find(in, name, &field, error);
    if (!value) return 20;
    if (length < field->nuc) return fail(error, 23, 5, "RFC_BUFFER_TOO_SMALL", "buffer too small");
    for (unsigned i = 0; i < length; i++) to[i] = i < value->length ? value->units[i] : ' ';
    return 0;
}
int RfcGetString(Container *in, const uc *name, uc *to, unsigned room, unsigned *length, ErrorInfo *error) {
    const Field *field;
    Value *value = find(in, name, &field, error);
    if (!value) return 20;
    uc initial[41] = {0};
    const uc *text = value->units;
    *length = value->length;
    if (!value->length && field->type == BCD) {
        char zero[41];
        snprintf(zero, sizeof zero, "%.*f", (int)field->decimals, 0.0);
        widen(initial, zero), text = initial, *length = length_of(initial);
    } else if (!value->length && (field->type == NUM || field->type == DATE || field->type == TIME)) {
        for (*length = 0; *length < field->nuc; ++*length) initial[*length] = '0';
        text = initial;
    }
    if (room <= *length) return fail(error, 23, 5, "RFC_BUFFER_TOO_SMALL", "buffer too small");
    if (*length) memcpy(to, text, *length * 2);
    to[*length] = 0;
    return 0;
}
int RfcGetStringLength(Container *in, const uc *name, unsigned *length, ErrorInfo *error) {
    const Field *field;
    Value *value = find(in, name, &field, error);
    if (!value) return 20;
    *length = value->length;
    return 0;
}
int RfcGetInt(Container *in, const uc *name, int *number, ErrorInfo *error) {
    const Field *field;
    Value *value = find(in, name, &field, error);
    if (!value) return 20;
    *number = (int)value->number;
    return 0;
}
int RfcGetInt8(Container *in, const uc *name, long long *number, ErrorInfo *error) {
    const Field *field;
    Value *value = find(in, name, &field, error);
    if (!value) return 20;
    *number = value->number;
    return 0;
}
int RfcGetBytes(Container *in, const uc *name, unsigned char *to, unsigned length, ErrorInfo *error) {
    const Field *field;
    Value *value = find(in, name, &field, error);
    if (!value) return 20;
    memset(to, 0, length);
    if (value->length) memcpy(to, value->units, value->length < length ? value->length : length);
    return 0;
}
int RfcGetXString(Container *in, const uc *name, unsigned char *to, unsigned room, unsigned *length, ErrorInfo *error) {
    const Field *field;
    Value *value = find(in, name, &field, error);
    if (!value) return 20;
    *length = value->length;
    if (room < *length) return fail(error, 23, 5, "RFC_BUFFER_TOO_SMALL", "buffer too small");
    if (*length) memcpy(to, value->units, *length);
    return 0;
}
static int child(Container *in, const uc *name, Container **found, ErrorInfo *error) {
    const Field *field;
    Value *value = find(in, name, &field, error);
    if (!value) return 20;
    *found = value->child;
    return 0;
}
int RfcGetStructure(Container *in, const uc *name, Container **found, ErrorInfo *error) { return child(in, name, found, error); }
int RfcGetTable(Container *in, const uc *name, Container **found, ErrorInfo *error) { return child(in, name, found, error); }
Container *RfcAppendNewRow(Container *table, ErrorInfo *error) { (void)error; return append(table); }
int RfcGetRowCount(Container *table, unsigned *count, ErrorInfo *error) { (void)error; *count = table->count; return 0; }
int RfcMoveTo(Container *table, unsigned index, ErrorInfo *error) { (void)error; table->current = index; return 0; }
Container *RfcGetCurrentRow(Container *table, ErrorInfo *error) { (void)error; return table->rows[table->current]; }

/* ---- the functions of this SAP ---- */

static int broken(Connection *at, ErrorInfo *error) {
    at->broken = 1, at->pending = 0;
    return fail(error, 1, 4, "RFC_COMMUNICATION_FAILURE", "connection to partner broken");
}
static void post(Connection *at, Container *call) {
    Container *header = named(call, "DOCUMENTHEADER")->child, *said = append(named(call, "RETURN")->child);
    char company[8], date[16], key[64];
    narrow(header, "COMP_CODE", company), narrow(header, "REF_DOC_NO", at->reference), narrow(header, "PSTNG_DATE", date);
    if (strcmp(company, "1000")) {
        message(said, "E", "RW", "609", "Error in document");
        message(append(named(call, "RETURN")->child), "E", "F5", "165", "Company code does not exist");
        return;
    }
    date[4] = 0;
    snprintf(key, sizeof key, "01000000011000%s", date);
    say(call, "OBJ_KEY", key);
    message(said, "S", "RW", "605", "Document posted successfully");
    at->pending = 1;
}
static int commit(Connection *at, Container *call, ErrorInfo *error) {
    Container *said = named(call, "RETURN")->child;
    Value *wait = named(call, "WAIT");
    if (!wait->length || wait->units[0] != 'X') abort(); /* without WAIT nothing is proved */
    if (!strcmp(at->reference, "LOST-BEFORE")) return broken(at, error);
    if (!strcmp(at->reference, "UPDATE-FAILS")) { message(said, "E", "S&", "101", "Posting could not be carried out"); at->pending = 0; return 0; }
    if (at->pending) {
        FILE *books = fopen(getenv("FAKE_NWRFC_BOOKS"), "a");
        fprintf(books, "%s\n", at->reference);
        fclose(books);
        at->pending = 0;
    }
    return strcmp(at->reference, "LOST-AFTER") ? 0 : broken(at, error);
}
int RfcInvoke(Connection *at, Container *call, ErrorInfo *error) {
    if (!at->alive || at->broken) return fail(error, 13, 4, "RFC_INVALID_HANDLE", "connection is not open");
    if (!strcmp(call->function, "BAPI_ACC_DOCUMENT_POST")) post(at, call);
    else if (!strcmp(call->function, "BAPI_TRANSACTION_COMMIT")) return commit(at, call, error);
    else if (!strcmp(call->function, "BAPI_TRANSACTION_ROLLBACK")) at->pending = 0;
    else if (!strcmp(call->function, "Z_RAISES")) return fail(error, 5, 1, "NOT_POSSIBLE", "raised by Z_RAISES");
    else if (!strcmp(call->function, "Z_BREAKS")) return broken(at, error);
    else if (!strcmp(call->function, "Z_NEVER_ENDS")) {
        while (!at->cancelled) usleep(1000);
        at->broken = 1;
        return fail(error, 7, 4, "RFC_CANCELED", "the call was cancelled");
    } else if (!strcmp(call->function, "RFC_READ_TABLE")) say(append(named(call, "DATA")->child), "WA", "100 Client");
    else { Value *out = named(call, "OUTPUT"); out->child = named(call, "INPUT")->child; }
    return 0;
}

"""SAP S/4HANA: journal entries over SOAP, everything else over OData V2. See README.md."""

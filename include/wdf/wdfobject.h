/*
 * wdfobject.h - framework objects: attributes, typed contexts, references. Include wdf.h.
 */
#ifndef _WDFOBJECT_H_
#define _WDFOBJECT_H_
#include "wdffuncs.h"

FORCEINLINE VOID WDF_OBJECT_ATTRIBUTES_INIT(PWDF_OBJECT_ATTRIBUTES Attributes)
{
    RtlZeroMemory(Attributes, sizeof(*Attributes));
    Attributes->Size = sizeof(*Attributes);
    Attributes->ExecutionLevel = WdfExecutionLevelInheritFromParent;
    Attributes->SynchronizationScope = WdfSynchronizationScopeInheritFromParent;
}

#ifdef _WIN32

/*
 * WDF_DECLARE_CONTEXT_TYPE_WITH_NAME(Type, Function): Type can be a context, and Function(Handle) gives the Type of an
 * object. Every unit of the driver that says it shares one description, whose address is the type's identity.
 */
#define WDF_TYPE_NAME_TO_TYPE_INFO(Type) _WDF_##Type##_TYPE_INFO
#define WDF_GET_CONTEXT_TYPE_INFO(Type)  (&WDF_TYPE_NAME_TO_TYPE_INFO(Type))
#define WDF_DECLARE_CONTEXT_TYPE_WITH_NAME(Type, Function)                                                             \
    extern const WDF_OBJECT_CONTEXT_TYPE_INFO WDF_TYPE_NAME_TO_TYPE_INFO(Type);                                        \
    __declspec(selectany) const WDF_OBJECT_CONTEXT_TYPE_INFO WDF_TYPE_NAME_TO_TYPE_INFO(Type) = {                      \
        sizeof(WDF_OBJECT_CONTEXT_TYPE_INFO), #Type, sizeof(Type), WDF_GET_CONTEXT_TYPE_INFO(Type), NULL};             \
    FORCEINLINE Type *Function(WDFOBJECT Handle)                                                                       \
    {                                                                                                                  \
        return (Type *)WdfObjectGetTypedContextWorker(Handle, WDF_GET_CONTEXT_TYPE_INFO(Type)->UniqueType);            \
    }
#define WDF_DECLARE_CONTEXT_TYPE(Type) WDF_DECLARE_CONTEXT_TYPE_WITH_NAME(Type, WdfObjectGet_##Type)

#define WDF_OBJECT_ATTRIBUTES_SET_CONTEXT_TYPE(Attributes, Type)                                                       \
    ((Attributes)->ContextTypeInfo = WDF_GET_CONTEXT_TYPE_INFO(Type)->UniqueType)
#define WDF_OBJECT_ATTRIBUTES_INIT_CONTEXT_TYPE(Attributes, Type)                                                      \
    (WDF_OBJECT_ATTRIBUTES_INIT(Attributes), WDF_OBJECT_ATTRIBUTES_SET_CONTEXT_TYPE(Attributes, Type))
#define WdfObjectGetTypedContext(Handle, Type)                                                                         \
    ((Type *)WdfObjectGetTypedContextWorker((WDFOBJECT)(Handle), WDF_GET_CONTEXT_TYPE_INFO(Type)->UniqueType))

#define WdfObjectReference(Handle)          WdfObjectReferenceActual((WDFOBJECT)(Handle), NULL, __LINE__, __FILE__)
#define WdfObjectDereference(Handle)        WdfObjectDereferenceActual((WDFOBJECT)(Handle), NULL, __LINE__, __FILE__)
#define WdfObjectReferenceWithTag(H, Tag)   WdfObjectReferenceActual((WDFOBJECT)(H), (PVOID)(Tag), __LINE__, __FILE__)
#define WdfObjectDereferenceWithTag(H, Tag) WdfObjectDereferenceActual((WDFOBJECT)(H), (PVOID)(Tag), __LINE__, __FILE__)

#endif
#endif

import { HolderOutlined } from '@ant-design/icons';
import {
  type Announcements,
  closestCenter,
  DndContext,
  type DragEndEvent,
  KeyboardSensor,
  PointerSensor,
  useSensor,
  useSensors,
} from '@dnd-kit/core';
import {
  arrayMove,
  SortableContext,
  sortableKeyboardCoordinates,
  useSortable,
  verticalListSortingStrategy,
} from '@dnd-kit/sortable';
import { Button } from 'antd';
import { type ComponentProps, createContext, type ReactNode, use, useMemo } from 'react';
import { useWords } from '../../shell/preferences.tsx';

type Handle = Pick<ReturnType<typeof useSortable>, 'setActivatorNodeRef' | 'listeners' | 'attributes'>;
const HandleContext = createContext<Handle | null>(null);

/** Rows of a table that can be put in another order, with a pointer or with the keyboard, as Ant Design's own example has it. */
export function SortableRows({
  ids,
  onMove,
  children,
}: {
  ids: readonly string[];
  onMove: (ids: string[]) => void;
  children: ReactNode;
}) {
  const sensors = useSensors(
    useSensor(PointerSensor, { activationConstraint: { distance: 4 } }),
    useSensor(KeyboardSensor, { coordinateGetter: sortableKeyboardCoordinates }),
  );
  const accessibility = {
    announcements: useAnnouncements(ids),
    screenReaderInstructions: { draggable: useWords().commands.keys },
  };
  const move = ({ active, over }: DragEndEvent) => {
    if (over === null || active.id === over.id) return;
    onMove(arrayMove([...ids], ids.indexOf(String(active.id)), ids.indexOf(String(over.id))));
  };
  return (
    <DndContext sensors={sensors} collisionDetection={closestCenter} onDragEnd={move} accessibility={accessibility}>
      <SortableContext items={[...ids]} strategy={verticalListSortingStrategy}>
        {children}
      </SortableContext>
    </DndContext>
  );
}

/** What a screen reader says while a row is on its way. */
function useAnnouncements(ids: readonly string[]): Announcements {
  const { commands: w } = useWords();
  const place = ({ id }: { readonly id: string | number }) => ids.indexOf(String(id)) + 1;
  return {
    onDragStart: ({ active }) => w.lifted(place(active)),
    onDragOver: ({ over }) => (over === null ? undefined : w.over(place(over))),
    onDragEnd: ({ over }) => (over === null ? w.backAgain : w.dropped(place(over))),
    onDragCancel: () => w.backAgain,
  };
}

export function SortableRow(props: ComponentProps<'tr'> & { 'data-row-key'?: string }) {
  const { setNodeRef, setActivatorNodeRef, listeners, attributes, transform, transition } = useSortable({
    id: props['data-row-key'] ?? '',
  });
  const handle = useMemo(
    () => ({ setActivatorNodeRef, listeners, attributes }),
    [setActivatorNodeRef, listeners, attributes],
  );
  const moved = transform === null ? {} : { transform: `translate3d(0, ${Math.round(transform.y)}px, 0)`, transition };
  return (
    <HandleContext value={handle}>
      <tr {...props} ref={setNodeRef} style={{ ...props.style, ...moved }} />
    </HandleContext>
  );
}

export function DragHandle({ label }: { readonly label: string }) {
  const handle = use(HandleContext);
  if (handle === null) return null;
  const { setActivatorNodeRef, listeners, attributes } = handle;
  return (
    <Button
      type="text"
      size="small"
      icon={<HolderOutlined />}
      ref={setActivatorNodeRef}
      {...attributes}
      {...listeners}
      aria-label={label}
      style={{ cursor: 'grab', touchAction: 'none' }}
    />
  );
}
